import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { Descriptor, DescriptorReading } from '../../domain/descriptor.js';
import type { DaemonRef, HeldLock } from '../../domain/ports.js';
import { FileDescriptorRepo, type FileSettings } from '../files/file-descriptor-repo.js';
import type { SocketWish } from '../files/socket-path.js';
import { isPassing, patiently } from './patience.js';
import { pipeName } from './pipe-name.js';

const clearAttempts = 10;

/** The same files as elsewhere, in spite of whoever has them open; named pipes in place of sockets. */
export class WindowsDescriptorRepo extends FileDescriptorRepo {
  constructor(
    settings: FileSettings,
    private readonly inspector: { vantage(): { readonly host: string; readonly uid: number } },
  ) {
    super(settings);
  }

  override read(ref: DaemonRef): DescriptorReading {
    return patiently(() => super.read(ref));
  }

  override write(held: HeldLock, descriptor: Descriptor): void {
    patiently(() => super.write(held, descriptor));
  }

  override writeSpec(held: HeldLock, spec: DaemonSpec): void {
    patiently(() => super.writeSpec(held, spec));
  }

  override async clear(held: HeldLock): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await super.clear(held);
      } catch (error) {
        if (!isPassing(error) || attempt >= clearAttempts) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
      }
    }
  }

  protected override createSocket({ name, instanceId }: SocketWish): string {
    const { host, uid } = this.inspector.vantage();
    return pipeName({ user: `${host}-${uid}`, home: this.settings.home, name, instanceId });
  }
}

import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { Descriptor, DescriptorReading } from '../../domain/descriptor.js';
import type { DaemonPlace, DaemonRef, DescriptorRepo, HeldLock, InstanceFiles } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';
import type { DaemonFolder, SimulatedDisk } from './simulated-disk.js';

export class SimulatedDescriptorRepo implements DescriptorRepo {
  constructor(private readonly actor: SimulatedActor) {}

  place(ref: DaemonRef): Promise<DaemonPlace> {
    return this.actor.call('descriptors.place', () => {
      const { disk } = this.actor.world;
      const { name, descriptor, log } = disk.locate(ref);
      return { name, known: disk.find(ref) !== undefined, descriptor, log };
    });
  }

  read(ref: DaemonRef): Promise<DescriptorReading> {
    return this.actor.call('descriptors.read', () => {
      const { record, ended } = this.disk.locate(ref);
      return record.kind === 'present' ? { ...record, endedCleanly: ended === record.descriptor.instanceId } : record;
    });
  }

  write(held: HeldLock, descriptor: Descriptor): Promise<void> {
    return this.actor.call('descriptors.write', () =>
      this.disk.store(this.changed(held), { kind: 'present', descriptor: { ...descriptor } }),
    );
  }

  settle(held: HeldLock): Promise<void> {
    return this.actor.call('descriptors.settle', () => this.disk.settle(this.changed(held)));
  }

  clear(held: HeldLock): Promise<void> {
    return this.actor.call('descriptors.clear', () => {
      const folder = this.changed(held);
      const { record } = folder;
      if (record.kind === 'corrupt' || record.kind === 'newer') folder.setAside.push(record);
      if (record.kind === 'present' && record.descriptor.notifyFile) this.disk.files.delete(record.descriptor.notifyFile);
      this.disk.store(folder, { kind: 'absent' });
      folder.ended = null;
    });
  }

  clearRun(held: HeldLock, descriptor: Descriptor): Promise<void> {
    return this.actor.call('descriptors.clearRun', () => {
      const folder = this.changed(held);
      if (descriptor.notifyFile) this.disk.files.delete(descriptor.notifyFile);
      folder.ended = null;
    });
  }

  createInstance(held: HeldLock, options: { readonly pinnedSocket: string | null; readonly notify: boolean }): Promise<InstanceFiles> {
    return this.actor.call('descriptors.createInstance', () => {
      const instanceId = this.actor.world.schedule.random.hex(16);
      const stem = this.changed(held).descriptor.replace(/[^/]*$/, '');
      const socket = options.pinnedSocket ?? `${stem}${instanceId}.sock`;
      return { instanceId, socket, notifyFile: options.notify ? `${stem}notify-${instanceId}` : null };
    });
  }

  readSpec(ref: DaemonRef): Promise<DaemonSpec | undefined> {
    return this.actor.call('descriptors.readSpec', () => this.disk.locate(ref).spec);
  }

  writeSpec(held: HeldLock, spec: DaemonSpec): Promise<void> {
    return this.actor.call('descriptors.writeSpec', () => {
      this.changed(held).spec = { ...spec };
    });
  }

  names(): Promise<readonly string[]> {
    return this.actor.call('descriptors.names', () => {
      const kept = [...this.disk.folders].filter(({ record, spec, descriptor, name }) => {
        return (record.kind !== 'absent' || spec !== undefined) && descriptor.endsWith(`/${name}/daemon.json`);
      });
      return kept.map(({ name }) => name).sort();
    });
  }

  private changed(held: HeldLock): DaemonFolder {
    this.actor.world.onWrite?.({ actor: this.actor, key: this.disk.keyOf(held.ref) });
    return this.disk.create(held.ref);
  }

  private get disk(): SimulatedDisk {
    return this.actor.world.disk;
  }
}

import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { errnoOf } from '../../adapters/files/file-errors.js';
import { largestFileBytes } from '../../adapters/files/safe-files.js';
import type { OwnPlace } from './own-place.js';
import { type Ownership, ownershipOf } from './ownership.js';

export interface SelfCheckEvents {
  /** The descriptor is gone, or names another instance: nobody finds this one any more. */
  onDisowned(): void;
  /** Looks whether the socket's file is gone. */
  isSocketLost(): boolean;
  onSocketLost(): Promise<void>;
}

const intervalMs = 1_000;
/** How many looks in a row must agree: a home that is moved or mounted may be away for a moment. */
const looksNeeded = 2;

/** Looks each second whether this daemon can still be found. Returns the function that ends it. */
export function startSelfCheck(place: Pick<OwnPlace, 'descriptor' | 'instanceId'>, events: SelfCheckEvents): () => void {
  const look = createLook(place);
  const disowned = new Streak();
  const socketLost = new Streak();
  let looking = false;

  const check = async () => {
    try {
      const ownership = await look();
      if (disowned.count(ownership === 'not-ours')) events.onDisowned();
      if (socketLost.count(ownership === 'ours' && events.isSocketLost())) await events.onSocketLost();
    } catch {
      // What could not be looked at or mended now may be at the next look.
    }
  };
  const timer = setInterval(() => {
    // A file system that hangs must not pile up looks.
    if (looking) return;
    looking = true;
    void check().finally(() => {
      looking = false;
    });
  }, intervalMs).unref();
  return () => clearInterval(timer);
}

class Streak {
  #length = 0;

  /** True when it has become long enough, and again after as many looks more. */
  count(seen: boolean): boolean {
    this.#length = seen ? this.#length + 1 : 0;
    return this.#length > 0 && this.#length % looksNeeded === 0;
  }
}

/** Reads the file only when it isn't the one that was read last. */
function createLook({ descriptor, instanceId }: Pick<OwnPlace, 'descriptor' | 'instanceId'>): () => Promise<Ownership> {
  let known: { readonly seen: string; readonly ownership: Ownership } | undefined;
  return async () => {
    try {
      const { dev, ino, size, mtimeNs } = await stat(descriptor, { bigint: true });
      const seen = [dev, ino, size, mtimeNs].join();
      if (seen !== known?.seen) known = { seen, ownership: ownershipOf(await readDescriptor(descriptor), instanceId) };
      return known.ownership;
    } catch (error) {
      return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error)) ? 'not-ours' : 'unclear';
    }
  };
}

/** Empty, which nobody's descriptor is, for what is no file of a sensible size. Never waits for the writer of a pipe: that look would be the last. */
export async function readDescriptor(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > largestFileBytes) return '';
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(stats.size), 0, stats.size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { ReadinessWatch } from '../../domain/ports.js';
import { monotonicMs } from '../monotonic-ms.js';

/** Whoever binds a socket listens a moment later, and the kernel tells of the first alone. */
const bustleMs = 1;
/** So many looks come sooner than patience has it. A file that goes on changing says nothing new. */
const mostEagerLooks = 50;
/** So much is heard of a folder: its daemon may write thousands of lines to a log there, of each of which the kernel tells. */
const mostHeard = 200;

/** Hears from the kernel (inotify) when a file appears or changes. */
export class FileWatch implements ReadinessWatch {
  private heardMs: number | undefined;
  private wake = () => {};
  private eagerLooks = mostEagerLooks;
  private heard = 0;

  private constructor(private readonly watcher: FSWatcher) {}

  /** `undefined` where it can't be watched: there is no such folder yet, or no more watches are given away. */
  static on(path: string): FileWatch | undefined {
    try {
      const watcher = watch(dirname(path), { persistent: false });
      const file = new FileWatch(watcher);
      // What its readers don't hear of, they find by looking.
      watcher.on('error', () => {});
      watcher.on('change', (_, name) => file.hear(name === basename(path)));
      return file;
    } catch {
      return undefined;
    }
  }

  news(patienceMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        clearImmediate(soon);
        signal?.removeEventListener('abort', done);
        this.wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, patienceMs);
      const isBustling = this.heardMs !== undefined && monotonicMs() - this.heardMs <= bustleMs && this.eagerLooks-- > 0;
      const soon = isBustling ? setImmediate(done) : undefined;
      signal?.addEventListener('abort', done);
      this.wake = done;
    });
  }

  close(): void {
    this.watcher.close();
  }

  private hear(isOfIt: boolean): void {
    if (++this.heard === mostHeard) this.close();
    if (!isOfIt) return;
    this.heardMs = monotonicMs();
    if (this.eagerLooks-- > 0) this.wake();
  }
}

import type { Clock } from '../domain/ports.js';
import { monotonicMs } from './monotonic-ms.js';

/** The machine's clocks. The monotonic one is the same for all programs of one boot, and may stand still while the machine sleeps. */
export class SystemClock implements Clock {
  /** `keepsAlive`: whether a program stays alive for as long as it sleeps. */
  constructor(private readonly keepsAlive = true) {}

  monotonicMs(): number {
    return monotonicMs();
  }

  wallTime(): string {
    return new Date().toISOString();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      if (!this.keepsAlive) timer.unref();
      signal?.addEventListener('abort', done);
    });
  }
}

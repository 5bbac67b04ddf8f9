import { monotonicMs } from '../../adapters/monotonic-ms.js';
import { IdleCount, type Moment } from '../../domain/idle-count.js';

/**
 * Calls back when nobody has been connected for a while, sleep of the machine included. Whoever is called looks again whether
 * anybody has come, before it ends anything.
 */
export class IdleTimer {
  readonly #idleMs: number | null;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `idleMs`: `null` for never. */
  constructor(idleMs: number | null, onIdle: () => void) {
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
  }

  /** Tells how many are connected now. */
  update(connections: number): void {
    this.stop();
    if (connections === 0 && this.#idleMs !== null) this.#wait(new IdleCount(this.#idleMs, now()));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(count: IdleCount): void {
    const ms = count.next(now());
    // Not before a turn: whoever waits to be accepted is accepted first.
    this.#timer = setTimeout(() => (ms === 0 ? this.#onIdle() : this.#wait(count)), ms).unref();
  }
}

function now(): Moment {
  return { monotonicMs: monotonicMs(), wallMs: Date.now() };
}

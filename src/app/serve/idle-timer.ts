/**
 * Calls back when nobody has been connected for a while. The timer runs on the monotonic clock, which stands still while
 * the machine sleeps: a daemon is never idle for having slept.
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
    if (connections === 0 && this.#idleMs !== null) this.#timer = setTimeout(this.#onIdle, this.#idleMs).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

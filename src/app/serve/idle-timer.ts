/**
 * Calls back when nobody has been connected for a while. Where the loop's clock counts the time that the machine sleeps, it
 * may call right at the awakening: whoever is called looks again whether anybody has come, before it ends anything.
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

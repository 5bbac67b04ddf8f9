/** One moment by both clocks, in milliseconds. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** How often is looked at the clocks: a machine that sleeps is noticed within so long after its awakening. */
const longestWaitMs = 10_000;
/** A wait that takes so much longer than it should was slept through: a busy machine is not as late as that. */
const sleepMs = 5_000;
/** How long whoever was connected before a sleep has to come back. */
const longestGraceMs = 30_000;

/**
 * Counts how long a daemon has been idle. Monotonic clocks stand still while some machines sleep and go on in others, so that a
 * plain timer fires at once at the awakening, or hours late. Here a sleep counts as idle time, as the wall clock tells it, but
 * after it there is always a grace: those that use the daemon have slept too. A step of the wall clock looks the same, and costs
 * an idle daemon no more than that it ends after the grace.
 */
export class IdleCount {
  private idleForMs = 0;
  private waitMs = 0;

  constructor(
    private readonly idleMs: number,
    private seen: Moment,
  ) {}

  /** How long to wait until the next look; 0 where the time is over. */
  next(now: Moment): number {
    const monotonicMs = Math.max(0, now.monotonicMs - this.seen.monotonicMs);
    const passedMs = Math.max(monotonicMs, now.wallMs - this.seen.wallMs);
    this.seen = now;
    if (passedMs - this.waitMs > sleepMs) {
      const grace = Math.min(this.idleMs, longestGraceMs);
      this.idleForMs = Math.min(this.idleForMs + passedMs, this.idleMs - grace);
    } else {
      this.idleForMs += monotonicMs;
    }
    this.waitMs = Math.max(0, Math.min(this.idleMs - this.idleForMs, longestWaitMs));
    return this.waitMs;
  }
}

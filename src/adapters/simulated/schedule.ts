import type { SeededRandom } from './seeded-random.js';
import { TimerQueue } from './timer-queue.js';

/** Whose code runs: one actor, or the tester. What has ended takes no more turns. */
export interface Party {
  readonly ended: boolean;
  /** Until when it gets no turn: suspended, or swapped out. */
  readonly stalledUntilMs?: number;
}

/** A call that waits until the schedule picks it. */
export interface Turn {
  readonly party: Party;
  /** Does what was called. True when that resumed the caller's code. */
  take(): boolean;
}

export interface SchedulePace {
  /** What every call costs. Above zero, or a loop that never sleeps would never end. */
  readonly callMs: number;
  /** How likely the next timer comes before the calls that are ready: how slow the callers are. */
  readonly haste: number;
  /** The longest that a caller which could go on is held up. */
  readonly longestStallMs: number;
  /** Calls and timers after which a schedule counts as endless. */
  readonly stepLimit: number;
}

const soon = Promise.resolve();

/** Ticks come before promises, but for those that a promise has asked for. */
function whenPromisesAreSeenTo(work: () => void): void {
  soon.then(() => process.nextTick(work));
}

export const defaultPace: SchedulePace = { callMs: 0.02, haste: 0.05, longestStallMs: 40, stepLimit: 2_000_000 };

/**
 * Decides who goes next, by a seeded choice, and what time it is. One caller's code runs at a time: the next call is
 * picked when that code has come to its own next call. All of it happens in microtasks, so a schedule of a thousand
 * calls takes about a millisecond.
 */
export class Schedule {
  /** Called after each step; what it throws fails the schedule. */
  onStep: (() => void) | undefined;
  steps = 0;
  /**
   * Set where one party does several things at once, as a supervisor does: one of them at a call does not mean that the
   * others are, and what waits in the background does not mean that nobody is about to call.
   */
  isPatient = false;

  private readonly turns: Turn[] = [];
  private readonly timers = new TimerQueue();
  private readonly failed: Promise<never>;
  private fail: (error: unknown) => void = () => {};
  private hasFailed = false;
  private timeMs = 0;
  /** Calls that wait for something to happen, so that time must go on. */
  private blocked = 0;
  /** Whose code runs now, between two of its calls. */
  private readonly running = new Set<Party>();
  private isPumpDue = false;
  private isWatched = false;

  constructor(
    readonly random: SeededRandom,
    private readonly pace: SchedulePace,
  ) {
    this.failed = new Promise((_, reject) => {
      this.fail = reject;
    });
    // Whoever waits for a verb also waits for this one; nobody need to.
    this.failed.catch(() => {});
  }

  get nowMs(): number {
    return this.timeMs;
  }

  /** Rejects when the schedule has failed, and nobody will be called any more. */
  get failure(): Promise<never> {
    return this.failed;
  }

  /** Nothing happens any more: supervisors would go on for ever. */
  end(): void {
    this.hasFailed = true;
  }

  /** Fails it, over what went wrong outside of its steps. */
  abandon(error: unknown): void {
    this.hasFailed = true;
    this.fail(error);
  }

  after(delayMs: number, fire: () => void): { cancel(): void } {
    return this.timers.add(this.timeMs + Math.max(delayMs, 0), fire);
  }

  /** A caller has come to a call. */
  enqueue(turn: Turn): void {
    this.turns.push(turn);
    this.rest(turn.party);
  }

  /** A caller's code has come to an end, or to a call. */
  rest(party: Party): void {
    this.running.delete(party);
    this.callForPump();
  }

  /** A call goes on waiting, for what only time can bring. */
  block(): void {
    this.blocked++;
    this.callForPump();
  }

  unblock(calls = 1): void {
    this.blocked -= calls;
  }

  private callForPump(): void {
    if (this.isPumpDue || this.running.size > 0 || this.hasFailed) return;
    this.isPumpDue = true;
    // Not at once: code that makes several calls side by side has them all in line before one is picked. By a promise,
    // since Node's `queueMicrotask` pays for an asynchronous resource each time. A tick, at ten times the price, comes when
    // all promises have been seen to.
    if (this.isPatient) whenPromisesAreSeenTo(this.pump);
    else soon.then(this.pump);
  }

  private readonly pump = (): void => {
    this.isPumpDue = false;
    if (this.hasFailed) return;
    try {
      while (this.running.size === 0 && (this.turns.length > 0 || this.blocked > 0)) {
        this.step();
        // What a step has ended, somebody may be about to learn of.
        if (this.isPatient && this.running.size === 0) {
          this.callForPump();
          return;
        }
      }
      this.watch();
    } catch (error) {
      this.abandon(error);
    }
  };

  private step(): void {
    if (++this.steps > this.pace.stepLimit) throw new Error(`no end after ${this.pace.stepLimit} steps`);
    if (this.isTimerNext()) {
      const timer = this.timers.take();
      if (!timer) throw new Error('everybody waits, and nothing is going to happen');
      this.timeMs = Math.max(this.timeMs, timer.dueMs);
      timer.fire();
    } else {
      this.takeTurn();
    }
    this.onStep?.();
  }

  private isTimerNext(): boolean {
    const dueMs = this.timers.nextDueMs();
    if (this.turns.length === 0) return true;
    if (dueMs === undefined || dueMs > this.timeMs + this.pace.longestStallMs) return false;
    return this.random.chance(dueMs <= this.timeMs ? 0.5 : this.pace.haste);
  }

  private takeTurn(): void {
    const index = this.random.below(this.turns.length);
    const turn = this.turns[index] as Turn;
    const last = this.turns.pop() as Turn;
    if (last !== turn) this.turns[index] = last;
    if (turn.party.ended) return;
    const { stalledUntilMs = 0 } = turn.party;
    if (stalledUntilMs > this.timeMs) {
      this.postpone(turn, stalledUntilMs);
      return;
    }
    this.timeMs += this.pace.callMs;
    if (turn.take()) this.running.add(turn.party);
  }

  private postpone(turn: Turn, untilMs: number): void {
    this.blocked++;
    // Looked at again from time to time, since its sleep may be cut short.
    this.timers.add(Math.min(untilMs, this.timeMs + this.pace.longestStallMs), () => {
      this.blocked--;
      this.turns.push(turn);
    });
  }

  /**
   * Code may come to its end without a call that tells of it: a test's own, or one of two that were joined. Then the
   * microtasks run dry, and the next macrotask gets things going again.
   */
  private watch(): void {
    if (this.isWatched || this.running.size === 0) return;
    this.isWatched = true;
    const goOn = () => {
      this.isWatched = false;
      this.running.clear();
      this.callForPump();
    };
    if (this.isPatient) whenPromisesAreSeenTo(goOn);
    else setImmediate(goOn);
  }
}

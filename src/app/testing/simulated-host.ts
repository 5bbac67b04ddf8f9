import type { SimulatedActor } from '../../adapters/simulated/simulated-actor.js';
import type { Daemon } from '../embed/daemon.js';
import type { DaemonOptions } from '../embed/daemon-options.js';
import { SimulatedDaemon } from './simulated-daemon.js';
import type { SimulatedServices } from './simulated-service.js';

/** How a piece of a host's work came out. */
export type SimulatedAttempt<T> =
  | { readonly kind: 'returned'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  /** The host was killed over it, or had been before. */
  | { readonly kind: 'killed' };

/** A program that uses daemonry on a simulated machine. It lives until it is killed, or the machine goes down. */
export class SimulatedHost {
  /** @internal */
  constructor(
    private readonly actor: SimulatedActor,
    private readonly services: SimulatedServices,
  ) {}

  get name(): string {
    return this.actor.name;
  }

  get pid(): number {
    return this.actor.process.pid;
  }

  get isAlive(): boolean {
    return !this.actor.ended;
  }

  /**
   * As `defineDaemon` of the library; `command` is one that the simulation knows. Home and working folder are the machine's.
   *
   * Throws `unsupported` for `ownedBy` and `protocol`, as the daemon does for `connect({ raw: true })` and `logs({ follow: true })`.
   */
  defineDaemon(options: DaemonOptions): Daemon {
    return new SimulatedDaemon(this.actor, this.services, options);
  }

  /** Does a piece of this host's work. Also comes to an end where the host is killed over it: what it waited for itself never does. */
  async attempt<T>(work: () => Promise<T>): Promise<SimulatedAttempt<T>> {
    const attempt = await this.actor.attempt(work);
    return attempt.kind === 'crashed' ? { kind: 'killed' } : attempt;
  }

  /** With SIGKILL, at this very moment. */
  kill(): void {
    this.actor.crash();
  }

  /**
   * At its so many-th call of the machine from now on, counted from 1: before the call does anything, or after. An `ensure()` makes
   * some dozens of calls, so that each place in which a host can die is one number.
   */
  killAt(call: number, when: 'before' | 'after' = 'before'): void {
    const { world, calls } = this.actor;
    const others = world.faults;
    world.faults = (made) => {
      if (made.actor === this.actor && made.number === calls + call) return { when, what: 'crash' };
      return others?.(made);
    };
  }

  /** Gets no turn for so long, as a program does that is suspended or swapped out. Milliseconds of simulated time. */
  freeze(ms: number): void {
    this.actor.stalledUntilMs = this.actor.world.schedule.nowMs + ms;
  }
}

import type { Fault, PortCall } from '../../src/adapters/simulated/simulated-world.js';
import { concerns, failureOf } from './failures.js';
import { reusePid } from './mishaps.js';
import type { Verb } from './scenario.js';

/** What goes wrong in one verb of one actor, and when. */
export class Plan {
  hasFailed = false;
  private concerned = 0;

  constructor(
    private readonly verb: Pick<Verb, 'name' | 'crash' | 'failure' | 'stall'>,
    /** How many calls the actor had made before. */
    private readonly callsBefore: number,
  ) {}

  decide({ actor, call, number }: PortCall): Fault | undefined {
    const { crash, failure, stall, name } = this.verb;
    const callOfVerb = number - this.callsBefore;
    if (stall?.call === callOfVerb) {
      actor.stalledUntilMs = actor.world.schedule.nowMs + stall.forMs;
      if (stall.reuse) reusePid(actor.world, name);
    }
    if (crash?.call === callOfVerb) return { when: crash.when, what: crash.what };
    if (!failure || !concerns(failure, call)) return undefined;
    this.concerned++;
    if (this.concerned !== failure.nth && !(failure.forGood && this.concerned > failure.nth)) return undefined;
    this.hasFailed = true;
    return { when: failure.when, what: failureOf(call, failure.errno) };
  }
}

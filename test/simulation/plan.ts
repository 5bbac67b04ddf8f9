import type { Fault, PortCall } from '../../src/adapters/simulated/simulated-world.js';
import { concerns, failureOf } from './failures.js';
import { reusePid } from './mishaps.js';
import type { Trouble } from './scenario.js';

/** What goes wrong in one verb of one actor, or with a supervisor from some moment on. */
export class Plan {
  hasFailed = false;
  private concerned = 0;

  constructor(
    private readonly trouble: Trouble & { readonly name: string },
    /** How many calls the actor had made before. */
    private readonly callsBefore: number,
  ) {}

  decide({ actor, call, number }: PortCall): Fault | undefined {
    const { crash, failure, stall, name } = this.trouble;
    const callSince = number - this.callsBefore;
    if (stall?.call === callSince) {
      actor.stalledUntilMs = actor.world.schedule.nowMs + stall.forMs;
      if (stall.reuse) reusePid(actor.world, name);
    }
    if (crash?.call === callSince) return { when: crash.when, what: crash.what };
    if (!failure || !concerns(failure, call)) return undefined;
    this.concerned++;
    if (this.concerned !== failure.nth && !(failure.forGood && this.concerned > failure.nth)) return undefined;
    this.hasFailed = true;
    return { when: failure.when, what: failureOf(call, failure.errno) };
  }
}

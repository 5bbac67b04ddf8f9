import { bringDown } from '../../../domain/bring-down.js';
import { type BringUpStep, bringUp } from '../../../domain/bring-up.js';
import { type PlanStep, planApply } from '../../../domain/project-plan.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { carryOut } from '../project/carry-out.js';
import { allSightingsOf, projectDaemons, projectOf } from '../project/project-context.js';
import { table } from '../table.js';
import type { VerbContext } from './context.js';

export async function apply(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const project = projectOf(invocation, context);
  const daemons = projectDaemons(context.machine);
  const plan = planApply(project, await allSightingsOf(daemons, project));
  if (invocation.has('--dry-run')) return planAnswer(plan);
  const stops = plan.flatMap(({ name, daemon }) => (daemon === null ? name : []));
  const steps = plan.flatMap(({ action, why, daemon }) => (daemon === null ? [] : ({ action, why, daemon } as BringUpStep)));
  return carryOut(invocation, async (progress) => {
    // First, since what comes may want its port.
    const stopped = await bringDown(project, stops, { daemons, ...progress });
    return [...stopped, ...(await bringUp(project, steps, { daemons, clock: context.machine.clock, ...progress }))];
  });
}

function planAnswer(plan: readonly PlanStep[]): Answer {
  const rows = plan.map(({ name, action, why }) => [action, name, why]);
  return {
    json: { plan: plan.map(({ name, action, why }) => ({ name, action, why })) },
    lines: rows.length === 0 ? ['nothing to do'] : table(['ACTION', 'NAME', 'WHY'], rows),
    exitCode: 0,
  };
}

import { bringUp } from '../../../domain/bring-up.js';
import type { ProjectDaemon } from '../../../domain/project.js';
import { planUp } from '../../../domain/project-plan.js';
import { isWhole, keysOf, selectToStart } from '../../../domain/project-selection.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { carryOut } from '../project/carry-out.js';
import { projectDaemons, projectOf, selectionOf, sightingsOf } from '../project/project-context.js';
import type { VerbContext } from './context.js';

export async function up(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const project = projectOf(invocation, context);
  const selection = selectionOf(invocation);
  const selected = selectToStart(project, selection);
  const daemons = projectDaemons(context.machine);
  const named = new Set(isWhole(selection) ? [] : keysOf(project, selection));
  const plan = planUp(project, selected, named, await sightingsOf(daemons, selected));
  const steps = plan.map(({ action, why, daemon }) => ({ action, why, daemon: daemon as ProjectDaemon }));
  return carryOut(invocation, (progress) => bringUp(project, steps, { daemons, clock: context.machine.clock, ...progress }));
}

import { bringDown } from '../../../domain/bring-down.js';
import { planApply } from '../../../domain/project-plan.js';
import { isWhole, selectToStop } from '../../../domain/project-selection.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { carryOut } from '../project/carry-out.js';
import { allSightingsOf, projectDaemons, projectOf, selectionOf } from '../project/project-context.js';
import type { VerbContext } from './context.js';

export async function down(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const project = projectOf(invocation, context);
  const selection = selectionOf(invocation);
  const daemons = projectDaemons(context.machine);
  const names = selectToStop(project, selection).map(({ name }) => name);
  // All of a project is also what its file has forgotten.
  const forgotten = isWhole(selection) ? planApply({ ...project, daemons: [] }, await allSightingsOf(daemons, project)) : [];
  const others = forgotten.map(({ name }) => name).filter((name) => !names.some((one) => one.toLowerCase() === name.toLowerCase()));
  return carryOut(invocation, (progress) => bringDown(project, [...names, ...others], { daemons, ...progress }));
}

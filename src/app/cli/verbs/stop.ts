import { checkedFolderName } from '../../../domain/daemon-name.js';
import type { Machine } from '../../../domain/ports.js';
import { shareSurveys } from '../../../domain/share-surveys.js';
import { stopDaemon } from '../../../domain/stop-daemon.js';
import { composeMachine } from '../../composition/compose.js';
import type { MachineSettings } from '../../composition/settings.js';
import { type Answer, stopAnswer } from '../answer.js';
import { type Invocation, UsageError } from '../invocation.js';
import { withProgress } from '../progress.js';
import type { VerbContext } from './context.js';
import { severally } from './several.js';

export async function stop(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const all = invocation.has('--all');
  if (all === invocation.names.length > 0) {
    if (all) throw new UsageError('stop takes names or --all, not both');
    throw new UsageError('stop needs the name of a daemon', 'or --all for every one of them');
  }
  // All are checked before the first is stopped.
  const graceMs = invocation.durationMs('--grace');
  const names = all ? await context.machine.descriptors.names() : invocation.names.map(checkedFolderName);
  const isOne = !all && names.length === 1;
  const machine = isOne ? context.machine : machineForMany(context.settings);
  const stopOne = (name: string) =>
    withProgress(`stopping ${name}`, invocation.json, () => stopDaemon(machine, { ref: { name }, graceMs }));
  if (isOne) return stopAnswer(await stopOne(names[0] as string));
  if (names.length === 0) return { json: { results: [] }, lines: ['no daemons here'], exitCode: 0 };
  return severally(names, stopOne, stopAnswer);
}

/** No helper process and no reading of the process table for each of them, either of which takes longer than to end one. */
function machineForMany(settings: MachineSettings): Machine {
  return shareSurveys(composeMachine({ ...settings, claimsFirst: true }));
}

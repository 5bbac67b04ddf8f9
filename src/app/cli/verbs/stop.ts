import { checkedFolderName } from '../../../domain/daemon-name.js';
import { stopDaemon } from '../../../domain/stop-daemon.js';
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
  const stopOne = (name: string) =>
    withProgress(`stopping ${name}`, invocation.json, () => stopDaemon(context.machine, { ref: { name }, graceMs }));
  if (!all && names.length === 1) {
    return stopAnswer(await stopOne(names[0] as string));
  }
  if (names.length === 0) return { json: { results: [] }, lines: ['no daemons here'], exitCode: 0 };
  return severally(names, stopOne, stopAnswer);
}

import { checkedFolderName } from '../../../domain/daemon-name.js';
import { restartByPolicy } from '../../../domain/delegate.js';
import { type Answer, shownStart, startAnswer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { withProgress } from '../progress.js';
import type { VerbContext } from './context.js';

export async function restart(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const name = checkedFolderName(invocation.name);
  const request = { ref: { name }, graceMs: invocation.durationMs('--grace') };
  const result = await withProgress(`restarting ${name}`, invocation.json, () => restartByPolicy(machine, request));
  return startAnswer(shownStart(result), 'restarted');
}

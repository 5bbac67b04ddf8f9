import { checkedName } from '../../../domain/daemon-name.js';
import { startByPolicy } from '../../../domain/delegate.js';
import { type Answer, shownStart, startAnswer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { withProgress } from '../progress.js';
import { specOf } from '../spec-options.js';
import type { VerbContext } from './context.js';

export async function start(invocation: Invocation, { machine, cwd }: VerbContext): Promise<Answer> {
  const name = checkedName(invocation.name);
  const request = { ref: { name }, spec: specOf(invocation, cwd), force: invocation.has('--force') };
  const result = await withProgress(`starting ${name}`, invocation.json, () => startByPolicy(machine, request));
  return startAnswer(shownStart(result), 'started');
}

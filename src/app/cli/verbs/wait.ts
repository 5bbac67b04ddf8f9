import { checkedFolderName } from '../../../domain/daemon-name.js';
import { waitForDaemon } from '../../../domain/wait-for-daemon.js';
import { type Answer, shown, statusLine } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { withProgress } from '../progress.js';
import type { VerbContext } from './context.js';

export async function wait(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const name = checkedFolderName(invocation.name);
  const until = invocation.choice('--for', ['ready', 'stopped']) ?? 'ready';
  const request = { ref: { name }, until, timeoutMs: invocation.durationMs('--timeout') } as const;
  const view = await withProgress(`waiting until ${name} is ${until}`, invocation.json, () => waitForDaemon(machine, request));
  return { json: { name: view.place.name, status: view.state, phase: view.phase }, lines: [statusLine(shown(view))], exitCode: 0 };
}

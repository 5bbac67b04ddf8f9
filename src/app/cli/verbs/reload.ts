import { checkedFolderName } from '../../../domain/daemon-name.js';
import { reloadDaemon } from '../../../domain/reload-daemon.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import type { VerbContext } from './context.js';

export async function reload(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const name = checkedFolderName(invocation.name);
  const { outcome, pid } = await reloadDaemon(machine, { name });
  const line = outcome === 'asked' ? `${name} (pid ${pid}) has reloaded` : `${name} (pid ${pid}) was told by SIGHUP to reload`;
  return { json: { name, outcome, status: 'running', pid }, lines: [line], exitCode: 0 };
}

import { exportDaemon as definitionOf, exportTargets } from '../../autostart/export-daemon.js';
import type { Answer } from '../answer.js';
import { type Invocation, UsageError } from '../invocation.js';
import type { VerbContext } from './context.js';

/** The definition on stdout, what it could not say on stderr. */
export async function exportDaemon(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const to = invocation.choice('--to', exportTargets);
  if (to === undefined) throw new UsageError('export needs --to', `it takes ${exportTargets.join(', ')}`);
  const { text, warnings } = await definitionOf(context, invocation.name, to);
  return { json: { name: invocation.name, to, text, warnings }, lines: [text.trimEnd()], warnings, exitCode: 0 };
}

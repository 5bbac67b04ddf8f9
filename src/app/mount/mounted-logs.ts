import { existsSync } from 'node:fs';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Answer } from '../cli/answer.js';
import { Interruption } from '../cli/interruption.js';
import { UsageError } from '../cli/invocation.js';
import { mostLines } from '../cli/log-selection.js';
import type { MountedVerb } from './run-daemon-verb.js';

const defaultLines = 10;

/** `logs`, of a daemon that runs or has run. Throws `not-found` for one that was never started. */
export async function mountedLogs(verb: MountedVerb): Promise<Answer> {
  const { daemon, invocation } = verb;
  const { name } = daemon;
  const follow = invocation.has('--follow');
  if (follow && invocation.json) throw new UsageError('logs --follow gives no single JSON object', 'leave out --json or --follow');
  const count = invocation.count('--lines', mostLines) ?? defaultLines;
  const { status, log } = await daemon.status();
  const lines = await daemon.logs({ lines: follow ? 1 : count });
  if (status === 'stopped' && lines.length === 0 && !existsSync(log))
    throw new DaemonError('not-found', `${name} has never been started`, { name });
  return follow ? followLog(verb, count) : { json: { name, lines }, lines, exitCode: 0 };
}

/** Line by line, until a signal, or until nobody hears us any more. */
async function followLog({ daemon, output, signal }: MountedVerb, lines: number): Promise<Answer> {
  const interruption = new Interruption();
  const ending = signal ? AbortSignal.any([signal, interruption.signal]) : interruption.signal;
  try {
    for await (const line of daemon.logs({ follow: true, lines, signal: ending })) {
      await output.out(`${line}\n`);
      if (output.isUnheard) break;
    }
  } finally {
    interruption.dispose();
  }
  return { json: null, lines: [], exitCode: 0 };
}

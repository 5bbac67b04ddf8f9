import { existsSync } from 'node:fs';
import { LogFollower } from '../../adapters/files/log-follower.js';
import { tailOf } from '../../adapters/files/log-tail.js';
import { SystemClock } from '../../adapters/system-clock.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Answer } from '../cli/answer.js';
import { Interruption } from '../cli/interruption.js';
import { UsageError } from '../cli/invocation.js';
import { mostLines } from '../cli/log-selection.js';
import type { MountedVerb } from './run-daemon-verb.js';

const defaultLines = 10;
const followPollMs = 100;

/** `logs`, of a daemon that runs or has run. Throws `not-found` for one that was never started. */
export async function mountedLogs(verb: MountedVerb): Promise<Answer> {
  const { daemon, invocation } = verb;
  const { name } = daemon;
  const follow = invocation.has('--follow');
  if (follow && invocation.json) throw new UsageError('logs --follow gives no single JSON object', 'leave out --json or --follow');
  const count = invocation.count('--lines', mostLines) ?? defaultLines;
  const { status, log } = await daemon.status();
  if (status === 'stopped' && !existsSync(log)) throw new DaemonError('not-found', `${name} has never been started`, { name });
  if (follow) return followLog(verb, log, count);
  const lines = await daemon.logs({ lines: count });
  return { json: { name, lines }, lines, exitCode: 0 };
}

/** As it is written, also half a line; until a signal, or until nobody hears us any more. */
async function followLog({ output, signal }: MountedVerb, log: string, count: number): Promise<Answer> {
  const follower = new LogFollower(log, 'end');
  const interruption = new Interruption();
  const ending = signal ? AbortSignal.any([signal, interruption.signal]) : interruption.signal;
  const clock = new SystemClock();
  try {
    // Up to where the following begins, so that no line falls between the two, and none comes twice.
    const lines = count === 0 ? [] : tailOf(log, count, 0, follower.offset);
    if (lines.length > 0) await output.out(lines.join('\n') + (follower.isAtLineStart ? '\n' : ''));
    while (!ending.aborted && !output.isUnheard) {
      await output.out(follower.read());
      await clock.sleep(followPollMs, ending);
    }
  } finally {
    follower.close();
    interruption.dispose();
  }
  return { json: null, lines: [], exitCode: 0 };
}

import { behindLinks } from '../../../adapters/files/file-log-store.js';
import { LogFollower } from '../../../adapters/files/log-follower.js';
import { checkedFolderName } from '../../../domain/daemon-name.js';
import { look } from '../../../domain/look.js';
import type { Machine } from '../../../domain/ports.js';
import { notFound } from '../../../domain/restart-daemon.js';
import type { Answer } from '../answer.js';
import { Interruption } from '../interruption.js';
import { type Invocation, UsageError } from '../invocation.js';
import { terminal } from '../terminal.js';
import type { VerbContext } from './context.js';

const defaultLines = 10;
const mostLines = 1_000_000;
const followPollMs = 100;

export async function logs(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const name = checkedFolderName(invocation.name);
  const follow = invocation.has('--follow');
  if (follow && invocation.json) throw new UsageError('logs --follow gives no single JSON object', 'leave out --json or --follow');
  const count = invocation.count('--lines', mostLines) ?? defaultLines;
  const path = await logPathOf(machine, name);
  if (!follow) {
    const lines = await machine.logs.tail(path, count);
    return { json: { name, lines }, lines, exitCode: 0 };
  }
  await followOn(machine, path, count);
  return { json: {}, lines: [], exitCode: 0 };
}

async function followOn(machine: Machine, path: string, count: number): Promise<void> {
  const interruption = new Interruption();
  const follower = new LogFollower(path, 'end');
  try {
    // Up to where the following begins, so that no line falls between the two, and none comes twice.
    const lines = await machine.logs.tail(path, count, 0, follower.offset);
    if (lines.length > 0) terminal.out(lines.join('\n') + (follower.isAtLineStart ? '\n' : ''));
    while (!interruption.signal.aborted) {
      const text = follower.read();
      if (text !== '' && !terminal.out(text)) break;
      await machine.clock.sleep(followPollMs, interruption.signal);
    }
  } finally {
    follower.close();
    interruption.dispose();
  }
}

/** Where its log is, running or not. Throws `not-found` for a name never known. */
async function logPathOf(machine: Machine, name: string): Promise<string> {
  const view = await look(machine, { name });
  if (!view.place.known) throw notFound(name);
  const spec = await machine.descriptors.readSpec({ name });
  return view.descriptor?.log ?? (spec?.log ? behindLinks(spec.log) : view.place.log);
}

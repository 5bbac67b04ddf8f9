import { statSync } from 'node:fs';
import { behindLinks } from '../../../adapters/files/file-log-store.js';
import { LogFollower } from '../../../adapters/files/log-follower.js';
import { checkedName } from '../../../domain/daemon-name.js';
import { look } from '../../../domain/look.js';
import type { Machine } from '../../../domain/ports.js';
import { notFound } from '../../../domain/restart-daemon.js';
import type { Answer } from '../answer.js';
import { type Invocation, UsageError } from '../invocation.js';
import { terminal } from '../terminal.js';
import type { VerbContext } from './context.js';

const defaultLines = 10;
const mostLines = 1_000_000;
const followPollMs = 100;

export async function logs(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const name = checkedName(invocation.name);
  const follow = invocation.has('--follow');
  if (follow && invocation.json) throw new UsageError('logs --follow gives no single JSON object', 'leave out --json or --follow');
  const count = invocation.count('--lines', mostLines) ?? defaultLines;
  const path = await logPathOf(machine, name);
  const lines = await machine.logs.tail(path, count);
  if (!follow) return { json: { name, lines }, lines, exitCode: 0 };

  const follower = new LogFollower(path, statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  if (lines.length > 0) terminal.out(`${lines.join('\n')}\n`);
  await untilInterrupted((signal) => followOn(follower, machine, signal));
  return { json: {}, lines: [], exitCode: 0 };
}

async function followOn(follower: LogFollower, machine: Machine, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const text = follower.read();
    if (text !== '' && !terminal.out(text)) break;
    await machine.clock.sleep(followPollMs, signal);
  }
  follower.close();
}

/** Where its log is, running or not. Throws `not-found` for a name never known. */
export async function logPathOf(machine: Machine, name: string): Promise<string> {
  const view = await look(machine, { name });
  if (!view.place.known) throw notFound(name);
  const spec = await machine.descriptors.readSpec({ name });
  return view.descriptor?.log ?? (spec?.log ? behindLinks(spec.log) : view.place.log);
}

/** Runs `work` until Ctrl-C or a request to end, which are the way to leave it and no failure. */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<NodeJS.Signals | undefined> {
  const controller = new AbortController();
  let by: NodeJS.Signals | undefined;
  const interrupt = (signal: NodeJS.Signals) => {
    by ??= signal;
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    await work(controller.signal);
    return by;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

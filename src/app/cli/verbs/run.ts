import { constants } from 'node:os';
import { LogFollower } from '../../../adapters/files/log-follower.js';
import { DaemonError } from '../../../domain/daemon-error.js';
import { checkedName } from '../../../domain/daemon-name.js';
import type { Descriptor } from '../../../domain/descriptor.js';
import { isDead } from '../../../domain/identity.js';
import { look, sight } from '../../../domain/look.js';
import type { Machine, ProcessEnd } from '../../../domain/ports.js';
import { type StartResult, startDaemon } from '../../../domain/start-daemon.js';
import { stopDaemon } from '../../../domain/stop-daemon.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { specOf } from '../spec-options.js';
import { terminal } from '../terminal.js';
import type { VerbContext } from './context.js';
import { untilInterrupted } from './logs.js';

const pollMs = 50;
/** How long our own child, seen dead, may take to tell its exit code. */
const exitCodeTimeoutMs = 1_000;

/** The same daemon, watched from here: its output on stdout, Ctrl-C to stop it, its exit code ours. */
export async function run(invocation: Invocation, { machine, cwd }: VerbContext): Promise<Answer> {
  const name = checkedName(invocation.name);
  const before = await look(machine, { name });
  if (before.state === 'running') throw alreadyRunning(before.descriptor as Descriptor);
  const spec = specOf(invocation, cwd);

  let started: StartResult | undefined;
  await untilInterrupted(async (signal) => {
    started = await startDaemon(machine, { ref: { name }, spec, signal });
    if (started.outcome === 'already-running') throw alreadyRunning(started.descriptor);
    await watch(machine, started.descriptor, invocation.json, signal);
  });
  const { descriptor, end } = started as unknown as StartResult;
  // Ended or interrupted: either way what is left of it goes, and its record.
  const stopped = await stopDaemon(machine, { ref: { name } });
  const ended = await endOf(machine, end);
  const exitCode = exitCodeOf(ended);
  return {
    json: { name, pid: descriptor.pid, outcome: stopped.outcome, exitCode: ended?.exitCode ?? null, signal: ended?.signal ?? null },
    lines: [],
    exitCode,
  };
}

async function watch(machine: Machine, descriptor: Descriptor, quiet: boolean, signal: AbortSignal): Promise<void> {
  const follower = new LogFollower(descriptor.log, descriptor.logOffset);
  try {
    for (;;) {
      const dead = isDead(await sight(machine.inspector, descriptor));
      // Read after the look, so that its last words are not lost.
      const text = follower.read();
      if (text !== '' && !quiet) terminal.out(text);
      if (dead || signal.aborted) return;
      await machine.clock.sleep(pollMs, signal);
    }
  } finally {
    follower.close();
  }
}

async function endOf(machine: Machine, end: () => ProcessEnd | undefined): Promise<ProcessEnd | undefined> {
  const deadline = machine.clock.monotonicMs() + exitCodeTimeoutMs;
  while (end() === undefined && machine.clock.monotonicMs() < deadline) await machine.clock.sleep(1);
  return end();
}

/** As a shell tells it: 128 and the signal's number. */
function exitCodeOf(end: ProcessEnd | undefined): number {
  if (end?.signal) return 128 + (constants.signals[end.signal as NodeJS.Signals] ?? 0);
  return end?.exitCode ?? 1;
}

function alreadyRunning({ name, pid }: Descriptor): DaemonError {
  return new DaemonError('already-running', `${name} is already running (pid ${pid})`, { name, pid });
}

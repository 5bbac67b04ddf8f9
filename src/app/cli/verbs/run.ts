import { constants } from 'node:os';
import { LogFollower } from '../../../adapters/files/log-follower.js';
import { DaemonError, isDaemonError } from '../../../domain/daemon-error.js';
import { checkedName } from '../../../domain/daemon-name.js';
import type { DaemonSpec } from '../../../domain/daemon-spec.js';
import type { Descriptor } from '../../../domain/descriptor.js';
import { isDead } from '../../../domain/identity.js';
import { learnEnd } from '../../../domain/learn-end.js';
import { look, sight } from '../../../domain/look.js';
import type { Machine, ProcessEnd } from '../../../domain/ports.js';
import { startDaemon } from '../../../domain/start-daemon.js';
import { stopDaemon } from '../../../domain/stop-daemon.js';
import type { Answer } from '../answer.js';
import { Interruption } from '../interruption.js';
import { type Invocation, UsageError } from '../invocation.js';
import { specOf } from '../spec-options.js';
import { terminal } from '../terminal.js';
import type { VerbContext } from './context.js';

const pollMs = 50;

export async function run(invocation: Invocation, { machine, cwd }: VerbContext): Promise<Answer> {
  const name = checkedName(invocation.name);
  const before = await look(machine, { name });
  if (before.state === 'running') throw alreadyRunning(before.descriptor as Descriptor);
  const spec = specOf(invocation, cwd);
  if (spec && spec.restart !== 'never') {
    throw new UsageError(`--restart ${spec.restart} is not for run`, 'its end is the end of run; daemonry start has it restarted');
  }
  return watchFromHere(machine, name, spec, { quiet: invocation.json });
}

export interface WatchOptions {
  /** Leaves its output in its log. */
  readonly quiet: boolean;
  /** Signals that it gets as well, besides those that end it. */
  readonly forwards?: readonly NodeJS.Signals[];
  /** What is left to do once it was killed by a second Ctrl-C. */
  readonly onKilled?: (descriptor: Descriptor) => Promise<void>;
}

/** The same daemon, watched from here: its output on stdout, Ctrl-C to stop it, its exit code ours. A second Ctrl-C kills it. */
export async function watchFromHere(
  machine: Machine,
  name: string,
  spec: DaemonSpec | undefined,
  { quiet, forwards = [], onKilled }: WatchOptions,
): Promise<Answer> {
  await loadWhatAStopNeeds();
  const interruption = new Interruption(forwards);
  const output = new Output(quiet, interruption);
  let isKilled = false;
  const onLaunched = (descriptor: Descriptor) => {
    output.begin(descriptor);
    interruption.onForwarded((signal) => void machine.signals.send(descriptor, signal));
    interruption.onceMore(() => {
      isKilled = true;
      void machine.signals.send(descriptor, 'SIGKILL');
    });
  };
  try {
    const started = await startDaemon(machine, { ref: { name }, spec, signal: interruption.signal, onLaunched });
    if (started.outcome === 'already-running') throw alreadyRunning(started.descriptor);
    await untilOver(machine, started.descriptor, interruption.signal);
    // What is left of this run goes, and its record; one that somebody has started since is none of ours.
    await stopDaemon(machine, { ref: { name }, instanceId: started.descriptor.instanceId });
    if (isKilled) await onKilled?.(started.descriptor);
    if (output.failure) throw output.failure;
    return ended(started.descriptor, await learnEnd(machine.clock, started.end));
  } catch (error) {
    const descriptor = output.descriptor;
    if (!isDaemonError(error) || error.facts.exitCode === undefined || !descriptor) throw error;
    // In the foreground its end is the answer, whenever it comes.
    return ended(descriptor, error.facts as unknown as ProcessEnd);
  } finally {
    output.end();
    interruption.dispose();
  }
}

/** Now, while it is there: whoever runs for long may have been upgraded on disk by the end. */
async function loadWhatAStopNeeds(): Promise<void> {
  await Promise.all([import('../../../adapters/net/rpc-peer.js'), import('../../../adapters/files/spec-codec.js')]);
}

/** What the daemon writes, from its first word to its last. */
class Output {
  descriptor: Descriptor | undefined;
  /** Why nothing can be written any more: told once the daemon is stopped. */
  failure: unknown;
  private follower: LogFollower | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly quiet: boolean,
    private readonly interruption: Interruption,
  ) {}

  begin(descriptor: Descriptor): void {
    this.descriptor = descriptor;
    if (this.quiet) return;
    this.follower = new LogFollower(descriptor.log, descriptor.logOffset);
    this.timer = setInterval(() => this.pass(), pollMs);
  }

  end(): void {
    clearInterval(this.timer);
    while (this.pass());
    this.follower?.close();
  }

  /** False when there was nothing to say, or nobody to say it to. */
  private pass(): boolean {
    const text = this.follower?.read() ?? '';
    if (text === '') return false;
    const isHeard = this.tell(text);
    // Whoever read it is gone: as in any pipe, that ends the writer.
    if (!isHeard && !this.interruption.signal.aborted) this.interruption.interrupt();
    return isHeard;
  }

  private tell(text: string): boolean {
    try {
      return terminal.out(text);
    } catch (error) {
      this.failure ??= error;
      return false;
    }
  }
}

async function untilOver(machine: Machine, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !isDead(await sight(machine.inspector, descriptor))) await machine.clock.sleep(pollMs, signal);
}

function ended({ name, pid }: Descriptor, end: ProcessEnd | undefined): Answer {
  const { exitCode = null, signal = null } = end ?? {};
  return { json: { name, pid, exitCode, signal }, lines: [], exitCode: exitCodeOf(exitCode, signal) };
}

/** As a shell tells it: 128 and the signal's number. */
function exitCodeOf(exitCode: number | null, signal: string | null): number {
  return signal ? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0) : (exitCode ?? 1);
}

export function alreadyRunning({ name, pid }: Descriptor): DaemonError {
  return new DaemonError('already-running', `${name} is already running (pid ${pid})`, { name, pid });
}

import { awaitReadiness } from './await-readiness.js';
import { DaemonError, isDaemonError } from './daemon-error.js';
import type { DaemonSpec } from './daemon-spec.js';
import {
  type Descriptor,
  descriptorSchema,
  type FormerRun,
  type MemoryWitness,
  type RestartHistory,
  type SupervisorReference,
} from './descriptor.js';
import { endInstance } from './end-instance.js';
import { endRecorded, recordPhase } from './end-recorded.js';
import type { ProcessIdentity } from './identity.js';
import { learnEnd } from './learn-end.js';
import type { Owner } from './owner.js';
import type { HeldLock, InstanceFiles, Launch, Machine, ProcessEnd, ResolvedCommand } from './ports.js';
import { formatReadyCondition } from './ready-condition.js';
import { type EndedRun, recordRun } from './record-run.js';

/** How many of the daemon's last lines an error carries. */
const errorTailLines = 10;

export interface Launched {
  readonly descriptor: Descriptor;
  readonly spec: DaemonSpec;
  /** Absolute path of the descriptor. */
  readonly path: string;
  /** `starting` only where the spec keeps a daemon that was not ready in time. */
  readonly outcome: 'started' | 'starting';
  /** How it ended, once it has. */
  readonly end: () => ProcessEnd | undefined;
  /** Resolves when it has; see `Launch`. */
  readonly ended: Launch['ended'];
}

/** By whom a daemon is kept running, and what became of its runs before. */
export interface Supervision {
  readonly by: SupervisorReference;
  readonly history: RestartHistory;
}

export interface LaunchOptions {
  readonly signal?: AbortSignal | undefined;
  readonly supervision?: Supervision | undefined;
  /** Leaves the record of a launch that failed, where its supervisor writes what comes next; and the remembered spec, which it was read from. */
  readonly isRestart?: boolean | undefined;
  /** A run that is over, of which not everything may have been ended yet. */
  readonly former?: Descriptor | undefined;
  /** For whom it is started, where it is to leave with him. */
  readonly owner?: Owner | undefined;
  readonly onLaunched?: ((descriptor: Descriptor) => void) | undefined;
}

/**
 * Starts an instance and waits until it is ready. The caller holds the lock and has cleared what was there.
 *
 * Order: files, gate, descriptor, spec, go. At every instant there is either no daemon, or a descriptor that names it.
 * Throws `unwritable`, `ended-before-ready`, `ready-timeout`, `cancelled`; nothing is left running or recorded then.
 */
export async function launchDaemon(
  machine: Machine,
  held: HeldLock,
  spec: DaemonSpec,
  command: ResolvedCommand,
  options: LaunchOptions = {},
): Promise<Launched> {
  const { signal, onLaunched, isRestart } = options;
  const { descriptor, path, launch } = await spawnRecorded(machine, held, spec, command, options);
  const ends = { end: () => launch.end(), ended: (signal: AbortSignal) => launch.ended(signal) };
  try {
    onLaunched?.(descriptor);
    await launch.open();
    const outcome = await awaitReadiness(machine, descriptor, spec.readyTimeoutMs, signal);
    if (outcome === 'timeout' && spec.onTimeout === 'keep') return { descriptor, spec, path, outcome: 'starting', ...ends };
    if (outcome === 'ended') throw await endedBeforeReady(machine, descriptor, launch);
    if (outcome !== 'ready') throw await unready(machine, descriptor, spec, outcome);
    const ready = await recordPhase(machine, held, descriptor, 'ready');
    await machine.descriptors.settle(held);
    return { descriptor: ready, spec, path, outcome: 'started', ...ends };
  } catch (error) {
    // Of one that is dead, too: its children may still hold the port that it died over.
    await endRecorded(machine, held, descriptor, descriptor.stop.graceMs, isRestart ? 'backoff' : 'stopping');
    if (!isRestart) {
      await recordRun(machine, held, { descriptor, ...endOfFailed(error, launch) });
      await clearQuietly(machine, held);
    }
    throw error;
  } finally {
    launch.release();
  }
}

function endOfFailed(error: unknown, launch: Launch): Pick<EndedRun, 'cause' | 'decision' | 'exitCode' | 'signal'> {
  const code = isDaemonError(error) ? error.code : undefined;
  if (code === 'ready-timeout') return { cause: 'stop', decision: 'stopped by its starter, since it was not ready in time' };
  if (code === 'cancelled') return { cause: 'stop', decision: 'stopped by its starter, whose start was cancelled' };
  return { cause: 'crash', decision: 'it ended before it was ready, and its start failed', ...launch.end() };
}

async function spawnRecorded(
  machine: Machine,
  held: HeldLock,
  spec: DaemonSpec,
  command: ResolvedCommand,
  { supervision, isRestart, former, owner }: LaunchOptions,
): Promise<{ descriptor: Descriptor; path: string; launch: Launch }> {
  const { descriptors, spawner } = machine;
  const place = await descriptors.place(held.ref);
  const log = await machine.logs.prepare(held, { ref: held.ref, file: spec.log, maxBytes: spec.logMaxBytes, keep: spec.logKeep });
  const files = await descriptors.createInstance(held, { pinnedSocket: spec.socket, notify: spec.ready.kind === 'notify' });
  const here = await machine.inspector.vantage();
  const memory = await machine.inspector.memoryKills(here.pid);
  const describe = (identity: ProcessIdentity) =>
    describeInstance(machine, spec, files, { name: place.name, log, uid: here.uid, identity, supervision, memory, former });

  let launch: Launch | undefined;
  try {
    if (!command.gated) await descriptors.write(held, { ...describe(here), intent: true });
    launch = await spawner.spawn({
      command,
      marks: { name: place.name, instanceId: files.instanceId, descriptor: place.descriptor, socket: files.socket },
      log: log.path,
      notifyFile: files.notifyFile,
      owner,
    });
    const { confined, waitedMs } = launch;
    const descriptor: Descriptor = {
      ...describe(launch.identity),
      ...(confined ? { confined: true } : {}),
      ...(waitedMs === undefined ? {} : { waitedMs }),
    };
    await descriptors.write(held, descriptor);
    if (!isRestart) await descriptors.writeSpec(held, spec);
    return { descriptor, path: place.descriptor, launch };
  } catch (error) {
    await launch?.abort();
    launch?.release();
    // Without a gate the command ran already, and what it has started would outlive it.
    const isEnded = !launch || command.gated || (await endQuietly(machine, describe(launch.identity)));
    // Else the intent stays, by which the next verb finds them.
    if (isEnded && !isRestart) await clearQuietly(machine, held);
    throw error;
  }
}

function describeInstance(
  machine: Machine,
  spec: DaemonSpec,
  files: InstanceFiles,
  of: {
    name: string;
    log: { path: string; offset: number };
    uid: number;
    identity: ProcessIdentity;
    supervision: Supervision | undefined;
    memory: MemoryWitness | undefined;
    former: Descriptor | undefined;
  },
): Descriptor {
  const { pid, startToken, bootId, pidNamespace, timeNamespace, host } = of.identity;
  return {
    schema: descriptorSchema,
    name: of.name,
    instanceId: files.instanceId,
    pid,
    startToken,
    bootId,
    pidNamespace,
    timeNamespace,
    host,
    uid: of.uid,
    phase: 'starting',
    socket: files.socket,
    version: spec.version,
    startedAt: machine.clock.wallTime(),
    log: of.log.path,
    command: spec.command,
    supervisedBy: of.supervision?.by ?? null,
    ready: formatReadyCondition(spec.ready),
    logOffset: of.log.offset,
    notifyFile: files.notifyFile,
    stop: { signal: spec.stopSignal, graceMs: spec.graceMs },
    ...(spec.fingerprint === undefined ? {} : { fingerprint: spec.fingerprint }),
    ...(spec.supersedes === undefined ? {} : { supersedes: spec.supersedes }),
    ...(of.supervision ? { history: of.supervision.history } : {}),
    ...(of.former && isOfSameWorld(of.former, of.identity) ? { former: formerRunOf(of.former) } : {}),
    ...(of.memory ? { memory: of.memory } : {}),
  };
}

/** Of another boot, or of another namespace, nothing is left. */
function isOfSameWorld(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.bootId === b.bootId && a.pidNamespace === b.pidNamespace;
}

function formerRunOf({ instanceId, pid, startToken, intent }: Descriptor): FormerRun {
  return { instanceId, pid, startToken, ...(intent ? { intent } : {}) };
}

async function endedBeforeReady(machine: Machine, descriptor: Descriptor, launch: Launch): Promise<DaemonError> {
  const end = await learnEnd(machine.clock, () => launch.end());
  const { exitCode = null, signal = null } = end ?? {};
  // As shells tell it: what could not be executed, and what was not found after all.
  const shellsCode = descriptor.ready === 'exec' && ({ 126: 'not-executable', 127: 'command-not-found' } as const)[exitCode ?? 0];
  return new DaemonError(shellsCode || 'ended-before-ready', `${descriptor.name} ended before it was ready${describeEnd(end)}`, {
    ...(await factsOf(machine, descriptor)),
    exitCode,
    signal,
    logOffset: descriptor.logOffset,
  });
}

async function unready(machine: Machine, descriptor: Descriptor, spec: DaemonSpec, outcome: 'timeout' | 'cancelled'): Promise<DaemonError> {
  const facts = await factsOf(machine, descriptor);
  const { name, pid } = descriptor;
  if (outcome === 'cancelled') return new DaemonError('cancelled', `the start of ${name} was cancelled`, facts);
  return new DaemonError('ready-timeout', `${name} (pid ${pid}) was not ready within ${spec.readyTimeoutMs} ms and was stopped`, facts);
}

async function factsOf(machine: Machine, { name, pid, ready, log, logOffset }: Descriptor) {
  return { name, pid, ready, log, logTail: await tailQuietly(machine, log, logOffset) };
}

async function tailQuietly(machine: Machine, log: string, logOffset: number): Promise<readonly string[]> {
  try {
    return await machine.logs.tail(log, errorTailLines, logOffset);
  } catch {
    // There is a worse failure to tell of.
    return [];
  }
}

function describeEnd(end: ProcessEnd | undefined): string {
  if (end?.signal) return ` (killed by ${end.signal})`;
  return end && end.exitCode !== null ? ` (exit code ${end.exitCode})` : '';
}

async function endQuietly(machine: Machine, descriptor: Descriptor): Promise<boolean> {
  try {
    await endInstance(machine, descriptor, descriptor.stop.graceMs);
    return true;
  } catch {
    return false;
  }
}

/** On the way out of a failure: the failure is what the caller must hear of. What stays is stale, and heals itself. */
async function clearQuietly(machine: Machine, held: HeldLock): Promise<void> {
  try {
    await machine.descriptors.clear(held);
  } catch {
    // Named above.
  }
}

import { awaitReadiness } from './await-readiness.js';
import { DaemonError } from './daemon-error.js';
import type { DaemonSpec } from './daemon-spec.js';
import { type Descriptor, descriptorSchema } from './descriptor.js';
import { endInstance } from './end-instance.js';
import { endRecorded, recordPhase } from './end-recorded.js';
import type { ProcessIdentity } from './identity.js';
import type { HeldLock, InstanceFiles, Launch, Machine, ProcessEnd, ResolvedCommand } from './ports.js';
import { formatReadyCondition } from './ready-condition.js';

/** How many of the daemon's last lines an error carries. */
const errorTailLines = 10;
/** How long a parent may take to learn the exit code of a child that is seen dead. */
const exitCodeTimeoutMs = 1_000;

export interface Launched {
  readonly descriptor: Descriptor;
  /** Absolute path of the descriptor. */
  readonly path: string;
  /** `starting` only where the spec keeps a daemon that was not ready in time. */
  readonly outcome: 'started' | 'starting';
  /** How it ended, once it has. */
  readonly end: () => ProcessEnd | undefined;
}

export interface LaunchOptions {
  readonly signal?: AbortSignal | undefined;
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
  { signal, onLaunched }: LaunchOptions = {},
): Promise<Launched> {
  const { descriptor, path, launch } = await spawnRecorded(machine, held, spec, command);
  try {
    onLaunched?.(descriptor);
    await launch.open();
    const outcome = await awaitReadiness(machine, descriptor, spec.readyTimeoutMs, signal);
    switch (outcome) {
      case 'ready':
        return { descriptor: await recordReady(machine, held, descriptor), path, outcome: 'started', end: () => launch.end() };
      case 'ended':
        return await failEnded(machine, held, descriptor, launch);
      case 'timeout':
        if (spec.onTimeout === 'keep') return { descriptor, path, outcome: 'starting', end: () => launch.end() };
        return await failUnready(machine, held, descriptor, spec, 'ready-timeout');
      case 'cancelled':
        return await failUnready(machine, held, descriptor, spec, 'cancelled');
    }
  } finally {
    launch.release();
  }
}

/** A daemon that can't be recorded is not left running. */
async function recordReady(machine: Machine, held: HeldLock, descriptor: Descriptor): Promise<Descriptor> {
  try {
    return await recordPhase(machine, held, descriptor, 'ready');
  } catch (error) {
    await endRecorded(machine, held, descriptor, descriptor.stop.graceMs);
    await clearQuietly(machine, held);
    throw error;
  }
}

async function spawnRecorded(
  machine: Machine,
  held: HeldLock,
  spec: DaemonSpec,
  command: ResolvedCommand,
): Promise<{ descriptor: Descriptor; path: string; launch: Launch }> {
  const { descriptors, spawner } = machine;
  const place = await descriptors.place(held.ref);
  const log = await machine.logs.prepare(held, { ref: held.ref, file: spec.log, maxBytes: spec.logMaxBytes, keep: spec.logKeep });
  const files = await descriptors.createInstance(held, { pinnedSocket: spec.socket, notify: spec.ready.kind === 'notify' });
  const here = await machine.inspector.vantage();
  const describe = (identity: ProcessIdentity) =>
    describeInstance(machine, spec, files, { name: place.name, log, uid: here.uid, identity });

  let launch: Launch | undefined;
  try {
    if (!command.gated) await descriptors.write(held, { ...describe(here), intent: true });
    launch = await spawner.spawn({
      command,
      marks: { name: place.name, instanceId: files.instanceId, descriptor: place.descriptor, socket: files.socket },
      log: log.path,
      notifyFile: files.notifyFile,
    });
    const descriptor = describe(launch.identity);
    await descriptors.write(held, descriptor);
    await descriptors.writeSpec(held, spec);
    return { descriptor, path: place.descriptor, launch };
  } catch (error) {
    await launch?.abort();
    launch?.release();
    // Without a gate the command ran already, and what it has started would outlive it.
    const isEnded = !launch || command.gated || (await endQuietly(machine, describe(launch.identity)));
    // Else the intent stays, by which the next verb finds them.
    if (isEnded) await clearQuietly(machine, held);
    throw error;
  }
}

function describeInstance(
  machine: Machine,
  spec: DaemonSpec,
  files: InstanceFiles,
  of: { name: string; log: { path: string; offset: number }; uid: number; identity: ProcessIdentity },
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
    supervisedBy: null,
    ready: formatReadyCondition(spec.ready),
    logOffset: of.log.offset,
    notifyFile: files.notifyFile,
    stop: { signal: spec.stopSignal, graceMs: spec.graceMs },
  };
}

async function failEnded(machine: Machine, held: HeldLock, descriptor: Descriptor, launch: Launch): Promise<never> {
  const deadline = machine.clock.monotonicMs() + exitCodeTimeoutMs;
  while (launch.end() === undefined && machine.clock.monotonicMs() < deadline) await machine.clock.sleep(1);
  const end = launch.end();
  const logTail = await machine.logs.tail(descriptor.log, errorTailLines, descriptor.logOffset);
  // Its children may still hold the port that it died over.
  await endInstance(machine, descriptor, descriptor.stop.graceMs);
  await clearQuietly(machine, held);
  const facts = {
    name: descriptor.name,
    pid: descriptor.pid,
    exitCode: end?.exitCode ?? null,
    signal: end?.signal ?? null,
    ready: descriptor.ready,
    log: descriptor.log,
    logOffset: descriptor.logOffset,
    logTail,
  };
  // As shells tell it: what could not be executed, and what was not found after all.
  const shellsCode = descriptor.ready === 'exec' && ({ 126: 'not-executable', 127: 'command-not-found' } as const)[facts.exitCode ?? 0];
  throw new DaemonError(shellsCode || 'ended-before-ready', `${descriptor.name} ended before it was ready${describeEnd(end)}`, facts);
}

async function failUnready(
  machine: Machine,
  held: HeldLock,
  descriptor: Descriptor,
  spec: DaemonSpec,
  code: 'ready-timeout' | 'cancelled',
): Promise<never> {
  await endRecorded(machine, held, descriptor, descriptor.stop.graceMs);
  const logTail = await machine.logs.tail(descriptor.log, errorTailLines, descriptor.logOffset);
  await clearQuietly(machine, held);
  const message =
    code === 'cancelled'
      ? `the start of ${descriptor.name} was cancelled`
      : `${descriptor.name} (pid ${descriptor.pid}) was not ready within ${spec.readyTimeoutMs} ms and was stopped`;
  throw new DaemonError(code, message, {
    name: descriptor.name,
    pid: descriptor.pid,
    ready: descriptor.ready,
    log: descriptor.log,
    logTail,
  });
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

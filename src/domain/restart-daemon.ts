import { afterStop, insistOnRecords } from './after-stop.js';
import { DaemonError } from './daemon-error.js';
import type { DaemonSpec } from './daemon-spec.js';
import { launchDaemon, type Supervision } from './launch-daemon.js';
import { look } from './look.js';
import type { Owner } from './owner.js';
import type { DaemonPlace, DaemonRef, Environment, Machine } from './ports.js';
import { type StartResult, started } from './start-daemon.js';
import { stopHeld } from './stop-daemon.js';
import { lockWait, lookHeld, underLock, unknownDaemon } from './under-lock.js';

export interface RestartRequest {
  readonly ref: DaemonRef;
  /** The embedding program's own spec; else the remembered one. */
  readonly spec?: DaemonSpec | undefined;
  readonly graceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of a supervisor that restarts it for somebody else. */
  readonly supervision?: Supervision | undefined;
  readonly environment?: Environment | undefined;
  /** For whom it is started, where it is to leave with him. */
  readonly owner?: Owner | undefined;
}

/**
 * Stops, waits for the end, starts again: under one hold of the lock, so that nobody comes between. What does not run is
 * started. A spec that can't start any more, and a place where nothing can be written, are found out before anything is stopped;
 * what fails later says that it was stopped.
 *
 * Throws `not-found`, and what `startDaemon` and `stopDaemon` throw.
 */
export async function restartDaemon(machine: Machine, request: RestartRequest): Promise<StartResult> {
  const first = await look(machine, request.ref);
  if (first.state === 'unknown') throw unknownDaemon(first);
  const spec = request.spec ?? (await machine.descriptors.readSpec(request.ref));
  if (!spec) throw withoutSpec(first.place);
  await machine.spawner.resolve(spec, request.environment);
  return underLock(machine, request.ref, lockWait(spec, request.signal), async (held) => {
    // Read again: another start may have been remembered while we waited.
    const latest = request.spec ?? (await machine.descriptors.readSpec(request.ref)) ?? spec;
    const command = await machine.spawner.resolve(latest, request.environment);
    const { state, descriptor } = await lookHeld(machine, held);
    if (state === 'running' && descriptor) await insistOnRecords(machine, held, descriptor);
    const { outcome } = await stopHeld(machine, held, request, 'restarted');
    const launch = async () => started(await launchDaemon(machine, held, latest, command, request));
    const isStopped = outcome === 'stopped' || outcome === 'killed';
    return isStopped && descriptor ? afterStop(descriptor, launch) : launch();
  });
}

/** `not-found` too, but nobody is told that there is no such daemon where it may well run. */
export function withoutSpec({ name, known }: DaemonPlace): DaemonError {
  if (!known) return notFound(name);
  return new DaemonError('not-found', `the spec of ${name} is missing or can't be read`, { name, lost: 'spec' });
}

export function notFound(name: string): DaemonError {
  return new DaemonError('not-found', `no daemon named ${name} is known`, { name });
}

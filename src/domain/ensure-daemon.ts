import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor } from './descriptor.js';
import { launchDaemon } from './launch-daemon.js';
import { look } from './look.js';
import type { Machine } from './ports.js';
import { type StartRequest, type StartResult, startDaemon, started } from './start-daemon.js';
import { endAndClear, lockWait, underLock } from './under-lock.js';
import { isNewerVersion } from './version.js';

export interface EnsureRequest extends StartRequest {
  readonly spec: DaemonSpec;
}

export type EnsureResult = StartResult;

/**
 * Makes sure that the daemon runs, at this version or a newer one: starts it, finds it, or replaces an older one. Only
 * ever upwards, so that two installed versions never end each other in turn.
 */
export async function ensureDaemon(machine: Machine, request: EnsureRequest): Promise<EnsureResult> {
  const result = await startDaemon(machine, request);
  if (result.outcome === 'started' || !isOutdated(result.descriptor, request.spec)) return result;
  const command = await machine.spawner.resolve(request.spec, request.environment);
  const replaced = await underLock(machine, request.ref, lockWait(request.spec, request.signal), async (held) => {
    const view = await look(machine, held.ref);
    // Another caller may have replaced it while we waited.
    if (view.state !== 'running' || !isOutdated(view.descriptor as Descriptor, request.spec)) return undefined;
    await endAndClear(machine, held, view.descriptor as Descriptor, { what: 'replaced by another version' });
    return started(await launchDaemon(machine, held, request.spec, command, request));
  });
  return replaced ? { ...replaced, outcome: 'replaced' } : startDaemon(machine, request);
}

/** Whether a version is wanted that is newer than the running one. */
export function isOutdated(running: Descriptor, wanted: DaemonSpec): boolean {
  return wanted.version !== null && running.version !== null && isNewerVersion(wanted.version, running.version);
}

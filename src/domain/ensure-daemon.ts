import { afterStop, insistOnRecords } from './after-stop.js';
import { DaemonError } from './daemon-error.js';
import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor } from './descriptor.js';
import { launchDaemon } from './launch-daemon.js';
import { inPlaceOf, matchOf, type OnMismatch, type Remedy, remedyFor } from './mismatch.js';
import type { Machine } from './ports.js';
import { type StartRequest, type StartResult, startDaemon, started } from './start-daemon.js';
import { endAndClear, lockWait, lookHeld, underLock } from './under-lock.js';

export interface EnsureRequest extends StartRequest {
  readonly spec: DaemonSpec;
  readonly onMismatch?: OnMismatch | undefined;
}

export type EnsureResult = StartResult;

/** How long a daemon may take to say whether anybody is at it. */
const occupationTimeoutMs = 3_000;

/**
 * Makes sure that the daemon runs as it is wanted: starts it, finds it, or does about another one what `onMismatch` says. In any
 * case but `replace` only ever in one direction, so that two installed copies never end each other's in turn.
 *
 * Throws what `startDaemon` and `stopDaemon` throw, and `version-mismatch`.
 */
export async function ensureDaemon(machine: Machine, request: EnsureRequest): Promise<EnsureResult> {
  const result = await startDaemon(machine, request);
  // Whether it is idle is asked under the lock, where the answer counts.
  if (result.outcome === 'started' || wishFor(result.descriptor, request) === 'use') return result;
  const command = await machine.spawner.resolve(request.spec, request.environment);
  const replaced = await underLock(machine, request.ref, lockWait(request.spec, request.signal), async (held) => {
    const view = await lookHeld(machine, held);
    const running = view.descriptor as Descriptor;
    // Another caller may have replaced it while we waited, or somebody may have come to use it.
    if (view.state !== 'running' || !(await isToBeReplaced(machine, running, request))) return undefined;
    await insistOnRecords(machine, held, running);
    await endAndClear(machine, held, running, { what: 'replaced by another version' });
    return afterStop(running, async () => started(await launchDaemon(machine, held, inPlaceOf(request.spec, running), command, request)));
  });
  return replaced ? { ...replaced, outcome: 'replaced' } : startDaemon(machine, request);
}

/** Throws `version-mismatch` where that is what is wished. */
export async function isToBeReplaced(
  machine: Pick<Machine, 'control'>,
  running: Descriptor,
  { spec, onMismatch }: Pick<EnsureRequest, 'spec' | 'onMismatch'>,
): Promise<boolean> {
  const wish = wishFor(running, { spec, onMismatch });
  return wish === 'replace-if-idle' ? isIdle(machine, running) : wish === 'replace';
}

function wishFor(running: Descriptor, { spec, onMismatch }: Pick<EnsureRequest, 'spec' | 'onMismatch'>): Exclude<Remedy, 'fail'> {
  const remedy = remedyFor(matchOf(running, spec), onMismatch);
  if (remedy === 'fail') throw mismatch(running, spec);
  return remedy;
}

/** Where nobody listens, nobody is connected. One that says nothing, or something else, may be at anything. */
async function isIdle({ control }: Pick<Machine, 'control'>, { socket, instanceId }: Descriptor): Promise<boolean> {
  const occupation = socket === null ? 'nobody' : await control.occupation(socket, instanceId, occupationTimeoutMs);
  return occupation === 'idle' || occupation === 'nobody';
}

function mismatch(running: Descriptor, wanted: DaemonSpec): DaemonError {
  const { name, pid, version } = running;
  const match = matchOf(running, wanted);
  const inWords = (one: string | null) => (one === null ? 'without a version' : `in version ${one}`);
  const what =
    version === wanted.version
      ? `by another definition of the same version${version === null ? '' : `, ${version}`}`
      : `${inWords(version)}, where it is wanted ${inWords(wanted.version)}`;
  return new DaemonError('version-mismatch', `${name} (pid ${pid}) runs ${what}`, {
    name,
    pid,
    match,
    version,
    wanted: wanted.version,
  });
}

import { stepFor } from './daemon-state.js';
import type { Descriptor } from './descriptor.js';
import { look } from './look.js';
import type { DaemonRef, HeldLock, Machine } from './ports.js';
import { cleanUp, endAndClear, lockWait, lookHeld, underLock, unknownDaemon } from './under-lock.js';

export interface StopRequest {
  readonly ref: DaemonRef;
  /** Instead of the grace that the instance was started with. Milliseconds. */
  readonly graceMs?: number | undefined;
  /** Cancels the wait for the lock. A stop that has begun is carried through. */
  readonly signal?: AbortSignal | undefined;
  /** Stops this instance only: one that has come after it is left alone. */
  readonly instanceId?: string | undefined;
}

/** How a stop has gone. */
export interface StopResult {
  readonly name: string;
  /** `killed`: the grace ran out. */
  readonly outcome: 'stopped' | 'killed' | 'already-stopped' | 'stale-cleaned';
  readonly pid: number | null;
  /** Processes that had left the daemon's group and were ended too. */
  readonly escaped: readonly number[];
  /** Processes of it that became another user's, and live on. */
  readonly beyondReach: readonly number[];
}

/**
 * Stops a daemon, all of it, and clears its record. Stopping what does not run is a success. Waits for a start that is
 * under way, then stops what it started.
 *
 * Throws `unknown-daemon`, `not-permitted`, `stop-timeout`, `lock-timeout`, `unwritable`, `unsafe-home`.
 */
export async function stopDaemon(machine: Machine, request: StopRequest): Promise<StopResult> {
  const first = await look(machine, request.ref);
  // Nothing was ever kept under this name: no lock to take, and none to leave behind.
  if (!first.place.known && first.reading.kind === 'absent')
    return { name: first.place.name, outcome: 'already-stopped', pid: null, escaped: [], beyondReach: [] };
  if (first.state === 'unknown') throw unknownDaemon(first);
  // A start that is under way may take as long as its spec says. Where none is, the spec is not worth its reading.
  const spec = first.phase === 'ready' ? undefined : await machine.descriptors.readSpec(request.ref);
  return underLock(machine, request.ref, lockWait(spec, request.signal), async (held) => stopHeld(machine, held, request));
}

export async function stopHeld(machine: Machine, held: HeldLock, request: StopRequest, what = 'stopped'): Promise<StopResult> {
  const view = await lookHeld(machine, held);
  const { name } = view.place;
  const isAnother = request.instanceId !== undefined && view.descriptor?.instanceId !== request.instanceId;
  if (isAnother) return { name, outcome: 'already-stopped', pid: null, escaped: [], beyondReach: [] };
  const step = stepFor(view.state, 'stop');
  switch (step) {
    case 'refuse':
      throw unknownDaemon(view);
    case 'end': {
      const descriptor = view.descriptor as Descriptor;
      const end = await endAndClear(machine, held, descriptor, { graceMs: request.graceMs, what });
      return { name, outcome: end.forced ? 'killed' : 'stopped', pid: descriptor.pid, escaped: end.escaped, beyondReach: end.beyondReach };
    }
    default: {
      const end = await cleanUp(machine, held, view, request.graceMs);
      const outcome = view.state === 'stale' ? 'stale-cleaned' : 'already-stopped';
      return { name, outcome, pid: view.descriptor?.pid ?? null, escaped: end.escaped, beyondReach: end.beyondReach };
    }
  }
}

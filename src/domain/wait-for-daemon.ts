import { DaemonError } from './daemon-error.js';
import { type DaemonView, lookClosely } from './look.js';
import type { DaemonRef, Machine } from './ports.js';

export interface WaitRequest {
  readonly ref: DaemonRef;
  readonly until: 'ready' | 'stopped';
  /** Milliseconds; without one, for as long as it takes. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const firstPollMs = 5;
const slowestPollMs = 100;

/** Blocks until the daemon is ready, or has no process any more. Throws `wait-timeout`, `cancelled`. */
export async function waitForDaemon(machine: Machine, request: WaitRequest): Promise<DaemonView> {
  const { clock } = machine;
  const deadline = request.timeoutMs === undefined ? undefined : clock.monotonicMs() + request.timeoutMs;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, slowestPollMs)) {
    const view = await lookClosely(machine, request.ref);
    if (request.until === 'ready' ? view.phase === 'ready' : isOver(view)) return view;
    if (request.signal?.aborted)
      throw new DaemonError('cancelled', `the wait for ${view.place.name} was cancelled`, { name: view.place.name });
    const leftMs = deadline === undefined ? slowestPollMs : deadline - clock.monotonicMs();
    if (leftMs <= 0) throw timedOut(view, request);
    await clock.sleep(Math.min(pollMs, leftMs), request.signal);
  }
}

/** Between two runs it is stopped, and soon not any more; in the middle of a stop it soon is. */
function isOver({ state, phase, reason }: DaemonView): boolean {
  return (state === 'stopped' && phase !== 'backoff' && reason !== 'being-stopped') || state === 'stale';
}

function timedOut(view: DaemonView, request: WaitRequest): DaemonError {
  const { name } = view.place;
  const pid = view.descriptor?.pid ?? null;
  return new DaemonError(
    'wait-timeout',
    `${name} was not ${request.until} within ${request.timeoutMs} ms: it is ${view.phase ?? view.state}`,
    {
      name,
      status: view.state,
      phase: view.phase,
      pid,
    },
  );
}

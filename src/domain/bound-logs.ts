import { isDaemonError } from './daemon-error.js';
import type { LogTarget, SupervisingMachine } from './ports.js';
import { underLock } from './under-lock.js';

/** A log, and whose it is. */
export interface BoundedLog {
  readonly path: string;
  readonly target: LogTarget;
}

/** How often a log is looked at whose daemon writes little: also how exactly its lines are dated. */
const slowestPollMs = 1_000;
const fastestPollMs = 20;
/** Whoever holds the lock is starting or stopping it: the next look comes soon. */
const lockPatienceMs = 25;

/**
 * Rotates the logs of daemons that run, and notes when their lines were written. Nothing stands between a daemon and its
 * log: a log is looked at the more often the faster it grows, so that it exceeds its bound by little.
 */
export async function boundLogs(machine: SupervisingMachine, logs: () => readonly BoundedLog[], signal: AbortSignal): Promise<void> {
  const { backgroundClock: clock } = machine;
  let sizes = new Map<string, number>();
  let lastMs = clock.monotonicMs();
  while (!signal.aborted) {
    const nowMs = clock.monotonicMs();
    const seen = new Map<string, number>();
    let pauseMs = slowestPollMs;
    for (const log of logs()) {
      const { found, left, isBounded } = await boundOne(machine, log);
      seen.set(log.path, left);
      if (!isBounded) continue;
      // Of one that is seen for the first time, all that is there may have come just now.
      const perMs = Math.max(found - (sizes.get(log.path) ?? 0), 0) / Math.max(nowMs - lastMs, 1);
      const leftMs = perMs > 0 ? Math.max(log.target.maxBytes - left, 0) / perMs : slowestPollMs;
      pauseMs = Math.min(pauseMs, Math.max(leftMs, fastestPollMs));
    }
    sizes = seen;
    lastMs = nowMs;
    await clock.sleep(pauseMs, signal);
  }
}

interface Bounded {
  /** How many bytes the current file had, and how many it has now. */
  readonly found: number;
  readonly left: number;
  /** False where it could not be rotated: nothing is gained by hurrying. */
  readonly isBounded: boolean;
}

/** What can't be looked at or rotated now may be at the next look. */
async function boundOne(machine: SupervisingMachine, { path, target }: BoundedLog): Promise<Bounded> {
  let found = 0;
  try {
    found = await machine.logs.noteTime(path);
    if (found < target.maxBytes) return { found, left: found, isBounded: true };
    const outcome = await underLock(machine, target.ref, { timeoutMs: lockPatienceMs }, async (held) => machine.logs.rotate(held, target));
    if (outcome === 'rotated') return { found, left: await machine.logs.noteTime(path), isBounded: true };
  } catch (error) {
    if (!isDaemonError(error)) throw error;
  }
  return { found, left: found, isBounded: false };
}

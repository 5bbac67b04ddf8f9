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

/** What a log was like at the last look. */
interface Watched {
  readonly bytes: number;
  readonly atMs: number;
  /** When it is looked at again. */
  readonly dueMs: number;
}

/**
 * Rotates the logs of daemons that run, and notes when their lines were written. Nothing stands between a daemon and its
 * log: a log is looked at the more often the faster it grows, so that it exceeds its bound by little.
 */
export async function boundLogs(machine: SupervisingMachine, logs: () => readonly BoundedLog[], signal: AbortSignal): Promise<void> {
  const { backgroundClock: clock } = machine;
  let watched: ReadonlyMap<string, Watched> = new Map();
  while (!signal.aborted) {
    const now = new Map<string, Watched>();
    const beganMs = clock.monotonicMs();
    for (const log of logs()) now.set(log.path, await watch(machine, log, watched.get(log.path), beganMs));
    watched = now;
    const dueMs = Math.min(beganMs + slowestPollMs, ...[...now.values()].map((one) => one.dueMs));
    await clock.sleep(Math.max(dueMs - clock.monotonicMs(), fastestPollMs), signal);
  }
}

/** One that is due within the shortest pause is looked at with those that are due now, so that the quiet ones stay together. */
async function watch(machine: SupervisingMachine, log: BoundedLog, before: Watched | undefined, atMs: number): Promise<Watched> {
  if (before && before.dueMs > atMs + fastestPollMs) return before;
  const { found, left, isBounded } = await boundOne(machine, log);
  // Of one that is seen for the first time, all that is there may have come just now.
  const perMs = Math.max(found - (before?.bytes ?? 0), 0) / Math.max(atMs - (before?.atMs ?? atMs), 1);
  const leftMs = perMs > 0 ? Math.max(log.target.maxBytes - left, 0) / perMs : slowestPollMs;
  const pauseMs = isBounded ? Math.min(Math.max(leftMs, fastestPollMs), slowestPollMs) : slowestPollMs;
  return { bytes: left, atMs, dueMs: atMs + pauseMs };
}

/** How many bytes the current file had, and how many it has now. */
interface Bounded {
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

import type { Descriptor } from './descriptor.js';
import { isDead } from './identity.js';
import { isReady, sight } from './look.js';
import type { Machine } from './ports.js';

export type ReadinessOutcome = 'ready' | 'ended' | 'timeout' | 'cancelled';

/** The first look comes after a millisecond, later ones ever more rarely: most commands are executed within two. */
const firstPollMs = 1;
const slowestPollMs = 50;

/** Waits until the instance is ready, has ended, or the time is over: its end is raced against its readiness at every poll. */
export async function awaitReadiness(
  machine: Pick<Machine, 'clock' | 'inspector' | 'readiness'>,
  descriptor: Descriptor,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ReadinessOutcome> {
  const deadline = machine.clock.monotonicMs() + timeoutMs;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, slowestPollMs)) {
    const ready = await isReady(machine, descriptor);
    // Looked at after the probe: evidence of an instance that is dead by now makes nothing ready.
    if (isDead(await sight(machine.inspector, descriptor))) return 'ended';
    if (ready) return 'ready';
    if (signal?.aborted) return 'cancelled';
    const leftMs = deadline - machine.clock.monotonicMs();
    if (leftMs <= 0) return 'timeout';
    await machine.clock.sleep(Math.min(pollMs, leftMs), signal);
  }
}

import type { Descriptor } from './descriptor.js';
import { isDead } from './identity.js';
import { isReady, sight, watchReadiness } from './look.js';
import type { Machine } from './ports.js';

export type ReadinessOutcome = 'ready' | 'ended' | 'timeout' | 'cancelled';

/** The first look comes after a millisecond, since most commands are executed within two. */
const firstPollMs = 1;
/** Later ones ever more rarely: none comes later than by this part of what it has taken, */
const latestPart = 1 / 16;
/** and none by more than this. */
const slowestPollMs = 50;

/**
 * Waits until the instance is ready, has ended, or the time is over: its end is raced against its readiness at every look. Between two
 * looks it listens for what the kernel tells of the evidence, and looks again as soon as that is anything.
 */
export async function awaitReadiness(
  machine: Pick<Machine, 'clock' | 'inspector' | 'readiness'>,
  descriptor: Descriptor,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ReadinessOutcome> {
  const beganMs = machine.clock.monotonicMs();
  const watch = watchReadiness(machine, descriptor);
  try {
    for (;;) {
      const ready = await isReady(machine, descriptor);
      // Looked at after the probe: evidence of an instance that is dead by now makes nothing ready.
      if (isDead(await sight(machine.inspector, descriptor))) return 'ended';
      if (ready) return 'ready';
      if (signal?.aborted) return 'cancelled';
      const waitedMs = machine.clock.monotonicMs() - beganMs;
      if (waitedMs >= timeoutMs) return 'timeout';
      const pollMs = Math.min(Math.max(firstPollMs, waitedMs * latestPart), slowestPollMs, timeoutMs - waitedMs);
      await (watch ? watch.news(pollMs, signal) : machine.clock.sleep(pollMs, signal));
    }
  } finally {
    watch?.close();
  }
}

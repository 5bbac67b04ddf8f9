import type { HealthCheck } from './health-check.js';
import type { Clock, HealthProber, HealthSubject } from './ports.js';

/** More than a busy machine holds a program up: whoever wakes up so late has slept, or its machine has. */
const sleepSlackMs = 5_000;

/**
 * Asks again and again whether a daemon is well. Resolves to true when it is unhealthy, to false when `signal` aborts. A
 * failure across a sleep of the machine counts for nothing: what it asked was asleep too.
 */
export async function watchHealth(
  machine: { readonly backgroundClock: Clock; readonly health: HealthProber },
  check: HealthCheck,
  subject: HealthSubject,
  signal: AbortSignal,
): Promise<boolean> {
  const { backgroundClock: clock } = machine;
  await clock.sleep(check.startGraceMs, signal);
  let failures = 0;
  while (!signal.aborted) {
    const beganMs = clock.monotonicMs();
    const isWell = await machine.health.check(check.probe, subject, check.timeoutMs);
    if (signal.aborted) return false;
    const isLate = clock.monotonicMs() - beganMs > check.timeoutMs + sleepSlackMs;
    failures = isWell || isLate ? 0 : failures + 1;
    if (failures >= check.threshold) return true;
    await clock.sleep(check.intervalMs, signal);
  }
  return false;
}

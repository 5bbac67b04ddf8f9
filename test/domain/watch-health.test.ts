import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/domain/ports.js';
import { watchHealth } from '../../src/domain/watch-health.js';

const check = { probe: { kind: 'ping' }, intervalMs: 100, timeoutMs: 50, threshold: 3, startGraceMs: 1_000 } as const;
const subject = { pid: 7, socket: null, instanceId: 'a', cwd: '/', environment: {} };

/** A probe for each answer, which takes so long; then the watch is called off. */
async function watch(answers: readonly { isWell: boolean; tookMs?: number }[]) {
  let nowMs = 0;
  const moments: number[] = [];
  const leaving = new AbortController();
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallTime: () => '',
    sleep: async (ms) => {
      nowMs += ms;
    },
  };
  const health = {
    check: async () => {
      const answer = answers[moments.length];
      moments.push(nowMs);
      if (!answer) leaving.abort();
      nowMs += answer?.tookMs ?? 0;
      return answer?.isWell ?? false;
    },
  };
  const isUnhealthy = await watchHealth({ backgroundClock: clock, health }, check, subject, leaving.signal);
  return { isUnhealthy, moments };
}

const well = { isWell: true };
const ill = { isWell: false };

describe('watch over health', () => {
  test('asks after the start grace, then an interval from the end of one probe to the next', async () => {
    expect((await watch([{ ...well, tookMs: 30 }, well])).moments).toEqual([1_000, 1_130, 1_230]);
  });

  test('as many failures in a row as the threshold are unhealthy', async () => {
    expect(await watch([well, ill, ill, ill])).toEqual({ isUnhealthy: true, moments: [1_000, 1_100, 1_200, 1_300] });
  });

  test('one success in between begins anew', async () => {
    expect((await watch([ill, ill, well, ill, ill])).isUnhealthy).toBe(false);
  });

  test('a failure across a sleep of the machine counts for nothing', async () => {
    expect((await watch([ill, ill, { ...ill, tookMs: 3_600_000 }, ill, ill])).isUnhealthy).toBe(false);
  });

  test('a failure that takes as long as it may counts', async () => {
    expect((await watch([ill, ill, { ...ill, tookMs: 50 }])).isUnhealthy).toBe(true);
  });

  test('called off, it is never unhealthy, whatever the last probe says', async () => {
    expect((await watch([ill, ill])).isUnhealthy).toBe(false);
  });
});

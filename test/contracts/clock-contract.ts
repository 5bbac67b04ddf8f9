import { getEventListeners } from 'node:events';
import { expect } from 'vitest';
import { type ContractSubject, describeContract } from './contract-machine.js';

/** A timer may fire in the millisecond before it is due. */
const timerSlackMs = 1.5;

export function describeClockContract(subject: ContractSubject): void {
  describeContract('Clock', subject, (test) => {
    test('sleep: lasts at least as long as it was asked to', async ({ machine: { clock } }) => {
      const before = clock.monotonicMs();
      await clock.sleep(30);
      expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(30 - timerSlackMs);
    });

    test('monotonicMs: never steps back', async ({ machine: { clock } }) => {
      let last = clock.monotonicMs();
      for (let round = 0; round < 20; round++) {
        await clock.sleep(round % 3);
        const now = clock.monotonicMs();
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
      }
    });

    test('wallTime: is ISO 8601 in UTC, to the millisecond', async ({ machine: { clock } }) => {
      const text = clock.wallTime();
      expect(new Date(text).toISOString()).toBe(text);
    });

    test('sleep: ends when its signal aborts, and leaves no listener behind', async ({ machine: { clock } }) => {
      const controller = new AbortController();
      const before = clock.monotonicMs();
      const sleeping = clock.sleep(1_000_000, controller.signal);
      await clock.sleep(5);
      controller.abort();
      await sleeping;
      expect(clock.monotonicMs() - before).toBeLessThan(10_000);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    });

    test('sleep: does not begin when its signal has aborted', async ({ machine: { clock } }) => {
      const before = clock.monotonicMs();
      await clock.sleep(1_000_000, AbortSignal.abort());
      expect(clock.monotonicMs() - before).toBeLessThan(10_000);
    });

    test('sleep: leaves no listener on a signal that never aborts', async ({ machine: { clock } }) => {
      const { signal } = new AbortController();
      await clock.sleep(1, signal);
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    });

    test('sleep: shorter sleeps end before longer ones', async ({ machine: { clock } }) => {
      const ended: number[] = [];
      await Promise.all([60, 5, 30].map(async (ms) => clock.sleep(ms).then(() => ended.push(ms))));
      expect(ended).toEqual([5, 30, 60]);
    });

    test(
      'monotonicMs: two programs of one boot count from the same moment',
      async ({ machine: { clock }, host }) => {
        const actor = await host.mortalActor();
        const before = clock.monotonicMs();
        const there = await actor.monotonicMs();
        expect(there).toBeGreaterThanOrEqual(before - timerSlackMs);
        expect(there).toBeLessThanOrEqual(clock.monotonicMs() + timerSlackMs);
      },
      'mortalActors',
    );
  });
}

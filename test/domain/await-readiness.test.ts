import { expect, test } from 'vitest';
import { awaitReadiness } from '../../src/domain/await-readiness.js';
import type { Descriptor } from '../../src/domain/descriptor.js';
import type { ReadinessWatch } from '../../src/domain/ports.js';
import { DaemonFixture } from './daemon-fixture.js';

test('readiness is looked at again when there is news of it, and listened for no longer than it is waited for', async () => {
  const fixture = new DaemonFixture();
  await fixture.start();
  const { inspector, clock } = fixture.machine;
  const waiting: Descriptor = { ...(fixture.descriptor as Descriptor), ready: 'socket' };
  let [news, listeners] = [0, 0];
  const watch = (): ReadinessWatch => {
    listeners++;
    return { news: async () => void news++, close: () => void listeners-- };
  };
  const awake = { ...clock, monotonicMs: () => clock.monotonicMs(), sleep: () => Promise.reject(new Error('it slept')) };
  const attempt = (check: () => boolean | Promise<boolean>) =>
    fixture.attempt(() => awaitReadiness({ inspector, clock: awake, readiness: { check, watch } }, waiting, 300));

  expect(await attempt(() => news === 3)).toBe('ready');
  expect([news, listeners]).toEqual([3, 0]);
  await expect(attempt(() => Promise.reject(new Error('no way')))).rejects.toThrow('no way');
  expect(listeners).toBe(0);
});

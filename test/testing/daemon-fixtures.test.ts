import { test as base, describe, expect } from 'vitest';
import type { DaemonFixtures, DaemonFixturesOptions } from '../../src/app/testing/index.js';
import { loadLibrary, loadTestingEntry } from '../support/library.js';
import { isAlive } from '../support/processes.js';

const { defineDaemon } = loadLibrary();
const { daemonFixtures } = loadTestingEntry();

const testWith = (options: Partial<DaemonFixturesOptions>) =>
  base.extend<DaemonFixtures>(
    daemonFixtures({ define: ({ home }) => defineDaemon({ name: 'acmed', command: 'sleep', args: ['1000'], home }), size: 1, ...options }),
  );

/** The same two tests, whichever daemon they are given; the second sees what became of the first one's. */
function describeFixtures(what: string, options: Partial<DaemonFixturesOptions>, isShared: boolean): void {
  const test = testWith(options);
  const pids: number[] = [];
  describe(what, () => {
    test('gives a test a daemon that runs', async ({ daemon, lease }) => {
      expect(await daemon.status()).toMatchObject({ status: 'running', phase: 'ready', pid: lease.running.pid });
      pids.push(lease.running.pid);
    });

    test(`gives the next one ${isShared ? 'the same, reset' : 'another, and the first has ended'}`, async ({ daemon, lease }) => {
      expect(await daemon.status()).toMatchObject({ status: 'running', pid: lease.running.pid });
      const [first = 0] = pids;
      expect([lease.running.pid === first, isAlive(first)]).toEqual([isShared, isShared]);
    });
  });
}

let resets = 0;
const reset = () => ++resets;

describeFixtures('a fixture from a pool', { reset }, true);
describeFixtures('a fixture from a pool without a reset', {}, false);
describeFixtures('a fixture of its own for each test', { reset, pooled: false }, false);

base('a daemon of a test of its own is never reset', () => {
  // The two uses of the one that is shared.
  expect(resets).toBe(2);
});

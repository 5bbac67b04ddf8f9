import type { Daemon } from '../embed/daemon.js';
import { DaemonPool, type DaemonPoolOptions, type PooledDaemon } from './daemon-pool.js';

/** Which daemons tests are given, and how long they live. */
export interface DaemonFixturesOptions extends DaemonPoolOptions {
  /** `false`: each test has a daemon that is started for it, and ended after it. No test has to know. Default true. */
  readonly pooled?: boolean | undefined;
  /**
   * How long a pool lives. Default `file`. With `worker`, and vitest's `isolate: false`, files that a worker runs one after the other
   * share one; vitest waits for its end after the teardown of `globalSetup`, not before.
   */
  readonly scope?: 'file' | 'worker' | undefined;
}

/** What a test is given. */
export interface DaemonFixtures {
  /** A daemon that runs and is as good as new. */
  readonly daemon: Daemon;
  /** The same with its home and instance; `lease.spoil()` has it started anew after the test. */
  readonly lease: PooledDaemon;
  /** The pool itself, one for each file. */
  readonly daemonPool: DaemonPool;
}

/** What a fixture hands its value to; it resolves when the test has ended. */
export type FixtureUse<T> = (value: T) => Promise<void>;

/** As vitest's `test.extend` takes them. */
export interface DaemonFixtureBodies {
  readonly daemonPool: [body: (context: object, use: FixtureUse<DaemonPool>) => Promise<void>, options: { scope: 'file' | 'worker' }];
  readonly lease: (context: Pick<DaemonFixtures, 'daemonPool'>, use: FixtureUse<PooledDaemon>) => Promise<void>;
  readonly daemon: (context: Pick<DaemonFixtures, 'lease'>, use: FixtureUse<Daemon>) => Promise<void>;
}

/**
 * Fixtures that give each test a daemon, from a pool or one of its own, as `pooled` says. The pool ends with its file, and every
 * process with it.
 *
 * @example
 * import { test as base } from 'vitest'; // 3.2 or newer
 *
 * export const test = base.extend<DaemonFixtures>(
 *   daemonFixtures({
 *     define: ({ home }) => defineDaemon({ name: 'acme', command: process.execPath, args: ['acmed.js'], ready: 'socket', home }),
 *     reset: async ({ daemon }) => {
 *       const connection = await daemon.connect();
 *       await connection.request('acme.reset');
 *       connection.close();
 *     },
 *     pooled: process.env.POOLED !== '0',
 *   }),
 * );
 *
 * test('greets', async ({ daemon }) => {
 *   const connection = await daemon.connect();
 *   expect(await connection.request('acme.greet', { name: 'you' })).toBe('hello, you');
 * });
 */
export function daemonFixtures({ pooled = true, scope = 'file', ...options }: DaemonFixturesOptions): DaemonFixtureBodies {
  return {
    daemonPool: [
      // biome-ignore lint/correctness/noEmptyPattern: vitest reads from the text of this function what it needs.
      async ({}, use) => {
        const pool = new DaemonPool(options);
        // Where it can't be started, the test that needs it is told.
        pool.warm().catch(() => {});
        try {
          await use(pool);
        } finally {
          await pool.dispose();
        }
      },
      { scope },
    ],
    lease: pooled ? leaseFrom : leaseOfItsOwn(options),
    daemon: async ({ lease }, use) => use(lease.daemon),
  };
}

async function leaseFrom({ daemonPool }: Pick<DaemonFixtures, 'daemonPool'>, use: FixtureUse<PooledDaemon>): Promise<void> {
  const lease = await daemonPool.acquire();
  try {
    await use(lease);
  } finally {
    // The next test need not wait for more than the next daemon.
    void lease.release();
  }
}

function leaseOfItsOwn(options: DaemonPoolOptions): DaemonFixtureBodies['lease'] {
  // biome-ignore lint/correctness/noEmptyPattern: as above.
  return async ({}, use) => {
    const pool = new DaemonPool({ ...options, size: 1 });
    try {
      await use(await pool.acquire());
    } finally {
      await pool.dispose();
    }
  };
}

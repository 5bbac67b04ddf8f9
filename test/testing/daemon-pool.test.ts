import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { Daemon, DaemonOptions } from '../../src/app/embed/index.js';
import type { DaemonPool, DaemonPoolOptions } from '../../src/app/testing/index.js';
import { loadLibrary, loadTestingEntry } from '../support/library.js';
import { isAlive, untilDead } from '../support/processes.js';
import { fixture, libraryFile, serveFile, testingFile } from '../support/suite.js';
import { type TemporaryHome, test as withHome } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const { defineDaemon } = loadLibrary();
const { DaemonPool: Pool } = loadTestingEntry();

type Options = Partial<DaemonPoolOptions> & { readonly daemon?: Partial<DaemonOptions> };

/** A test that makes pools, which end with it; whatever it does, none of their processes is left. */
const test = withHome.extend<{ newPool: (options?: Options) => DaemonPool }>({
  newPool: async ({ home }, use) => {
    const pools: DaemonPool[] = [];
    await use(({ daemon, ...options } = {}) => {
      const pool = new Pool({ define: (place) => sleeper(home, place.home, daemon), ...options });
      pools.push(pool);
      return pool;
    });
    for (const pool of pools) {
      await pool.dispose();
      expect([pool.living, pool.waiting]).toEqual([0, 0]);
    }
  },
});

function sleeper(home: TemporaryHome, path: string, options: Partial<DaemonOptions> = {}): Daemon {
  return defineDaemon({ name: 'acmed', command: 'sleep', args: ['1000'], cwd: home.folder, home: path, ...options });
}

describe.concurrent('a pool of daemons', () => {
  test('starts some before anybody asks, and hands them out at once, each with a home of its own', async ({ newPool }) => {
    const pool = newPool({ size: 2, warm: 2 });
    expect(pool.living).toBe(0);
    await pool.warm();
    expect(pool.living).toBe(2);
    const [one, two] = await Promise.all([pool.acquire(), pool.acquire()]);
    expect(one.home).not.toBe(two.home);
    for (const { running, home, daemon } of [one, two]) {
      expect(running.descriptor.startsWith(home)).toBe(true);
      expect(await daemon.status()).toMatchObject({ status: 'running', phase: 'ready', pid: running.pid });
    }
    expect(pool.living).toBe(2);
  });

  test('never has more than its size: whoever comes later waits for what is released, in order', async ({ newPool }) => {
    const pool = newPool({ size: 2, reset: () => {} });
    const first = await Promise.all([pool.acquire(), pool.acquire()]);
    const order: string[] = [];
    const later = ['a', 'b', 'c'].map(async (name) => {
      const lease = await pool.acquire();
      order.push(name);
      return lease;
    });
    expect(pool.waiting).toBe(3);
    for (const lease of first) await lease.release();
    const [a] = await Promise.all([later[0], later[1]]);
    expect([order, pool.waiting, pool.living]).toEqual([['a', 'b'], 1, 2]);
    await pool.release(a as Awaited<(typeof later)[0]>);
    await later[2];
    expect(order).toEqual(['a', 'b', 'c']);
  });

  test('ends also while a reset goes on for ever, or a question about its health', async ({ newPool }) => {
    const never = () => new Promise<never>(() => {});
    const resetting = newPool({ size: 1, reset: never });
    const lease = await resetting.acquire();
    void lease.release();
    const asking = newPool({ size: 1, isHealthy: never });
    const asked = expect(asking.acquire()).rejects.toMatchObject({ code: 'cancelled' });
    await waitFor('a daemon', () => asking.waiting === 0 && asking.living === 1);
    await Promise.all([resetting.dispose(), asking.dispose(), asked]);
    expect(isAlive(lease.running.pid)).toBe(false);
  });

  test('starts the next while one is used, so that nobody waits for a daemon that is started anew', async ({ newPool }) => {
    const pool = newPool({ size: 2, warm: 1 });
    const one = await pool.acquire();
    await waitFor('the next one', () => pool.living === 2);
    const recycled = one.release();
    const two = await pool.acquire();
    expect(two.folder).not.toBe(one.folder);
    await recycled;
    expect(pool.living).toBe(2);
  });

  test('resets a daemon between two uses, and hands out the same one', async ({ newPool }) => {
    const resets: number[] = [];
    const pool = newPool({ size: 1, reset: ({ running }) => resets.push(running.pid) });
    const one = await pool.acquire();
    await Promise.all([one.release(), one.release()]);
    const two = await pool.acquire();
    expect([two.running.pid, two.home, resets]).toEqual([one.running.pid, one.home, [one.running.pid]]);
  });

  test.for([
    ['without a reset', {}, false],
    ['where the reset fails', { reset: () => Promise.reject(new Error('no')) }, false],
    ['where it was spoilt', { reset: () => {} }, true],
  ] as const)('%s starts it anew, in a new home', async ([, options, spoils], { newPool }) => {
    const pool = newPool({ size: 1, ...options });
    const one = await pool.acquire();
    if (spoils) one.spoil();
    await one.release();
    expect([isAlive(one.running.pid), existsSync(one.home)]).toEqual([false, false]);
    const two = await pool.acquire();
    expect(two.home).not.toBe(one.home);
    expect(isAlive(two.running.pid)).toBe(true);
    // Spoilt once, not for ever.
    await two.release();
    expect((await pool.acquire()).running.pid === two.running.pid).toBe(spoils);
  });

  test('looks whether a daemon is well before it is handed out, and starts it anew where it is not', async ({ newPool }) => {
    const pool = newPool({ size: 1, reset: () => {} });
    const one = await pool.acquire();
    await one.release();
    process.kill(one.running.pid, 'SIGKILL');
    await untilDead(one.running.pid);
    const two = await pool.acquire();
    expect(two.running.pid).not.toBe(one.running.pid);
    // Another instance than the one that was handed out, however well it is, is in no known state.
    await two.daemon.restart();
    await two.release();
    const three = await pool.acquire();
    expect(three.home).not.toBe(two.home);
  });

  test("asks the host's own question too, and fails where the answer stays no", async ({ newPool }) => {
    const answers = [false, true, false, false];
    const seen: number[] = [];
    const pool = newPool({
      size: 1,
      reset: () => {},
      isHealthy: ({ running }) => {
        seen.push(running.pid);
        return answers.shift() ?? true;
      },
    });
    const lease = await pool.acquire();
    expect([seen.length, seen[1]]).toEqual([2, lease.running.pid]);
    await lease.release();
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'not-serving', facts: { name: 'acmed' } });
    expect(isAlive((await pool.acquire()).running.pid)).toBe(true);
  });

  test('fails whoever asks with what the start failed with, and each of those who wait', async ({ newPool }) => {
    const pool = newPool({ size: 1, daemon: { command: 'no-such-command' } });
    const asked = await Promise.allSettled([pool.acquire(), pool.acquire()]);
    for (const one of asked) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'command-not-found' } });
    const warming = pool.warm();
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'command-not-found' });
    await expect(warming).rejects.toMatchObject({ code: 'command-not-found' });
    expect(pool.living).toBe(0);
  });

  test('refuses a daemon that is not kept in the home that it is given, and leaves it as it is', async ({ home, newPool }) => {
    const { pid } = await sleeper(home, home.path).start();
    const pool = newPool({ define: () => sleeper(home, home.path) });
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'invalid-spec', facts: { option: 'define' } });
    await pool.dispose();
    expect(home.processes()).toMatchObject([{ pid }]);
  });

  test('lets a wait be cancelled, and the next in line has what comes', async ({ newPool }) => {
    const pool = newPool({ size: 1, reset: () => {} });
    const lease = await pool.acquire();
    const controller = new AbortController();
    const cancelled = pool.acquire({ signal: controller.signal });
    const next = pool.acquire();
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await lease.release();
    expect((await next).running.pid).toBe(lease.running.pid);
    await expect(pool.acquire({ signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('ends with every process and file, whoever has a daemon, waits for one, or has one started', async ({ newPool }) => {
    const pool = newPool({ size: 2, daemon: { ready: 'log:up', command: 'sh', args: ['-c', 'sleep 1000 & echo up; wait'] } });
    const leases = await Promise.all([pool.acquire(), pool.acquire()]);
    const waiting = pool.acquire();
    waiting.catch(() => {});
    const recycled = leases[1]?.release();
    await Promise.all([pool.dispose(), pool.dispose()]);
    await expect(waiting).rejects.toMatchObject({ code: 'cancelled' });
    await recycled;
    for (const { folder, running } of leases) expect([existsSync(folder), isAlive(running.pid)]).toEqual([false, false]);
    await expect(pool.acquire()).rejects.toMatchObject({ code: 'cancelled' });
    expect(await leases[0]?.release()).toBeUndefined();
  });

  test('ends a daemon with a descriptor of its own, and what a test has started beside it', async ({ home, newPool }) => {
    const pool = newPool({ define: (place) => sleeper(home, place.home, { descriptor: join(place.home, 'own.json') }) });
    const lease = await pool.acquire();
    expect(lease.running.descriptor).toBe(join(lease.home, 'own.json'));
    const { pid } = await sleeper(home, lease.home, { name: 'beside' }).start();
    await pool.dispose();
    expect([isAlive(lease.running.pid), isAlive(pid)]).toEqual([false, false]);
  });

  test('ends what a supervisor keeps running, and the supervisor', async ({ newPool }) => {
    const pool = newPool({ size: 1, daemon: { restart: 'always' } });
    const { home, running } = await pool.acquire();
    const { pid } = JSON.parse(readFileSync(join(home, 'supervisor', 'daemon.json'), 'utf8'));
    expect(isAlive(pid)).toBe(true);
    await pool.dispose();
    expect([isAlive(pid), isAlive(running.pid), existsSync(home)]).toEqual([false, false, false]);
  });

  test.for([[{ size: 0 }], [{ size: 1.5 }], [{ warm: -1 }], [{ graceMs: Number.NaN }]])('refuses %j', ([options], { home }) => {
    expect(() => new Pool({ define: () => sleeper(home, home.path), ...options })).toThrow(
      expect.objectContaining({ code: 'invalid-spec' }),
    );
  });

  test('refuses what is of no use to it', () => {
    for (const options of [null, {}, { define: 5 }, { define: () => {}, size: 10n }, { define: () => {}, reset: 'x' }]) {
      expect(() => new Pool(options as unknown as DaemonPoolOptions)).toThrow(expect.objectContaining({ code: 'invalid-spec' }));
    }
  });
});

describe('a test runner that is killed', () => {
  /** Its pool has one daemon. With `stays` it waits to be killed, else it disposes of the pool. */
  function runner(home: TemporaryHome, options: Partial<DaemonOptions>, stays: boolean) {
    const script = `Promise.all([import(${JSON.stringify(libraryFile)}), import(${JSON.stringify(testingFile)})]).then(async ([library, testing]) => {
      const define = ({ home }) => library.defineDaemon({ ...${JSON.stringify({ name: 'acmed', ...options })}, home });
      const pool = new testing.DaemonPool({ define });
      const { folder, running } = await pool.acquire();
      console.log(JSON.stringify({ folder, pid: running.pid }));
      if (${stays}) setInterval(() => {}, 1_000);
      else await pool.dispose();
    })`;
    home.file('tmp/.keep', '');
    return home.spawn(process.execPath, ['-e', script], { env: { TMPDIR: home.file('tmp') } });
  }

  async function killed(home: TemporaryHome, options: Partial<DaemonOptions>): Promise<{ readonly folder: string; readonly pid: number }> {
    const program = runner(home, options, true);
    await program.says('\n');
    program.kill('SIGKILL');
    return (await program.end()).json;
  }

  test('takes its pooled daemons with it, where they are owned by its process', async ({ home }) => {
    const args = [fixture('serves.mjs'), serveFile];
    const { pid } = await killed(home, { command: process.execPath, args, ready: 'socket', ownedBy: 'process' });
    await untilDead(pid);
  });

  test('has its folders removed by the next one, once nobody runs there any more', async ({ home }) => {
    const options = { command: 'sleep', args: ['1000'] };
    const { folder, pid } = await killed(home, options);
    const strangers = home.file('tmp/dp-strangers/file', '');
    for (const isLeft of [true, false]) {
      expect((await runner(home, options, false).end()).exitCode).toBe(0);
      expect([existsSync(folder), existsSync(strangers)]).toEqual([isLeft, true]);
      if (isLeft) process.kill(pid, 'SIGKILL');
      await untilDead(pid);
    }
  });
});

import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { isAlive } from '../support/processes.js';
import { test } from '../support/temporary-home.js';

const { defineDaemon } = loadLibrary();

describe('many that one program hands over to the supervisor in one turn', () => {
  test('share its connections, and nothing else: one fails, one is cancelled, all others run', async ({ home }) => {
    const define = (index: number, over: Partial<DaemonOptions> = {}) =>
      defineDaemon({ name: `d${index}`, command: 'sleep', args: ['1000'], home: home.path, cwd: null, restart: 'always', ...over });
    // So that none of them waits for it to be there.
    await define(0).start();
    const cancel = new AbortController();
    const never = { ready: 'notify', readyTimeoutMs: 60_000 } as const;
    const cancelled = define(1, never).start({ signal: cancel.signal });
    const failing = define(2, { ...never, command: 'sh', args: ['-c', 'exit 3'], restartLimit: 1 }).start();
    const others = Array.from({ length: 40 }, (_, index) => define(3 + index).start());
    const ends = await Promise.allSettled([failing, ...others]);
    expect(ends[0]).toMatchObject({ status: 'rejected', reason: { code: 'ended-before-ready', facts: { name: 'd2', exitCode: 3 } } });
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled', facts: { name: 'd1' } });
    const pids = (await Promise.all(others)).map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(40);
    expect(pids.filter((pid) => !isAlive(pid))).toEqual([]);
    expect(pids).toEqual(others.map((_, index) => home.descriptor(`d${3 + index}`).pid));
  });
});

import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

const { defineDaemon } = loadLibrary();

function speaker(home: TemporaryHome, script: string, options: Partial<DaemonOptions> = {}) {
  return defineDaemon({ name: 'acme', command: 'sh', args: ['-c', script], cwd: null, home: home.path, ...options });
}

describe.concurrent('logs', () => {
  test('followed, gives what is there and what comes, each line once it is whole, over a restart', async ({ home }) => {
    const latch = home.latch('latch');
    const script = `echo one; echo two; printf thr; read _ < ${latch.path}; echo ee; echo four; exec sleep 1000`;
    const daemon = speaker(home, script);
    await daemon.start();
    await home.logSays('acme', 'thr');
    const lines = daemon.logs({ follow: true, lines: 1 })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value;
    expect(await next()).toBe('two');
    const third = next();
    latch.open();
    expect([await third, await next()]).toEqual(['three', 'four']);
    await speaker(home, 'echo again; exec sleep 1000').restart();
    expect(await next()).toBe('again');
    expect(await lines.return?.()).toEqual({ value: undefined, done: true });
  });

  test('followed before it ever ran, begins with its first line, and ends when it is aborted', async ({ home }) => {
    const controller = new AbortController();
    const daemon = speaker(home, 'echo first; exec sleep 1000');
    const seen: string[] = [];
    const following = (async () => {
      for await (const line of daemon.logs({ follow: true, signal: controller.signal })) {
        seen.push(line);
        controller.abort();
      }
    })();
    await daemon.start();
    await following;
    expect(seen).toEqual(['first']);
  });

  test('since a moment leaves out what is older, by whole files where nobody noted the time', async ({ home }) => {
    const daemon = speaker(home, 'echo one; echo two; exec sleep 1000', { ready: 'log:two' });
    await daemon.start();
    const hour = 3_600_000;
    expect(await daemon.logs({ since: new Date(Date.now() - hour) })).toEqual(['one', 'two']);
    expect(await daemon.logs({ since: new Date(Date.now() - hour), lines: 1 })).toEqual(['two']);
    expect(await daemon.logs({ since: new Date(Date.now() + hour) })).toEqual([]);
  });

  test('and status are cancelled as everything else is', async ({ home }) => {
    const daemon = speaker(home, 'exec sleep 1000');
    const signal = AbortSignal.abort();
    for (const attempt of [daemon.status({ signal }), daemon.logs({ signal })]) {
      await expect(attempt).rejects.toMatchObject({ code: 'cancelled' });
    }
    for await (const line of daemon.logs({ follow: true, signal })) expect(line).toBeUndefined();
  });
});

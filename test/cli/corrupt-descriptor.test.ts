import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { loadLibrary } from '../support/library.js';
import { isAlive } from '../support/processes.js';
import { test } from '../support/temporary-home.js';

const { isDaemonError } = loadLibrary();

const whole = {
  schema: 1,
  name: 'clock',
  instanceId: 'i',
  pid: 999_999,
  startToken: '1',
  bootId: 'b',
  pidNamespace: 'p',
  timeNamespace: 't',
};

/** What may stand where a descriptor belongs. Each is made at the path. */
const shapes: Readonly<Record<string, (path: string) => void>> = {
  'an empty file': (path) => writeFileSync(path, ''),
  blanks: (path) => writeFileSync(path, ' \n\n'),
  'half of a descriptor': (path) => writeFileSync(path, JSON.stringify(whole).slice(0, 70)),
  'a descriptor without most fields': (path) => writeFileSync(path, JSON.stringify(whole)),
  'an empty object': (path) => writeFileSync(path, '{}'),
  'an array': (path) => writeFileSync(path, '[1]'),
  null: (path) => writeFileSync(path, 'null'),
  'a number, as old pid files hold': (path) => writeFileSync(path, '1\n'),
  'bytes that are no text': (path) => writeFileSync(path, Buffer.from([0xff, 0xfe, 0, 1, 2, 0xc3, 0x28])),
  'deeply nested JSON': (path) => writeFileSync(path, `${'['.repeat(100_000)}`),
  'a prototype': (path) => writeFileSync(path, '{"__proto__": {"schema": 1}, "schema": 1, "constructor": 1}'),
  'two megabytes': (path) => writeFileSync(path, Buffer.alloc(2 * 1024 * 1024, 'x')),
  'a folder': (path) => mkdirSync(path),
  'a folder with something in it': (path) => {
    mkdirSync(path);
    writeFileSync(`${path}/file`, '');
  },
  'a link to nowhere': (path) => symlinkSync('nowhere', path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a pipe, which would block its reader': (path) => void execFileSync('mkfifo', [path]),
};

describe.concurrent('a corrupt descriptor', () => {
  for (const [what, make] of Object.entries(shapes)) {
    test(`${what}: is stale to status, cleaned by stop, healed by start (F23, F24, F33)`, async ({ home }) => {
      const path = `${home.makeFolder('clock')}/daemon.json`;
      make(path);
      const status = await home.cli(['status', 'clock', '--json']);
      expect(status).toMatchObject({ exitCode: 1, stderr: '' });
      expect(status.json).toMatchObject({ status: 'stale', reason: 'corrupt-descriptor', pid: null, socket: null });
      const clock = home.sleeper('clock');
      expect(await clock.stop()).toMatchObject({ outcome: 'stale-cleaned' });
      expect(home.filesOf('clock')).toEqual(expect.arrayContaining(['daemon.json.bad']));
      expect(home.filesOf('clock')).not.toContain('daemon.json');

      make(path);
      const started = await clock.start();
      expect(started.outcome).toBe('started');
      expect(home.descriptor('clock')).toMatchObject({ pid: started.pid, phase: 'ready' });
    });
  }

  test('a socket: is stale to status and list, and healed by start', async ({ home }) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(home.file('socket'), resolve));
    // Node removes a socket at its closing, by its first path.
    renameSync(home.file('socket'), `${home.makeFolder('clock')}/daemon.json`);
    expect((await home.cli(['list', '--json'])).json.daemons).toMatchObject([
      { name: 'clock', status: 'stale', reason: 'corrupt-descriptor' },
    ]);
    expect((await home.startSleeper('clock')).outcome).toBe('started');
    await new Promise((resolve) => server.close(resolve));
  });

  test('of another name is nobody here', async ({ home }) => {
    const other = await home.startSleeper('other');
    home.writeRaw('clock', readFileSync(other.descriptor));
    expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'stale', reason: 'corrupt-descriptor' });
    expect((await home.cli(['stop', 'clock'])).exitCode).toBe(0);
    expect(isAlive(other.pid)).toBe(true);
  });

  test('one after another is set aside without an end', async ({ home }) => {
    for (const content of ['first', 'second']) {
      home.writeRaw('clock', content);
      expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stale-cleaned');
    }
    expect(readFileSync(home.at('clock', 'daemon.json.bad'), 'utf8')).toBe('second');
  });
});

describe.concurrent('a live daemon behind a corrupt descriptor', () => {
  test('is ended by the next start, which never makes a second (F24)', async ({ home }) => {
    const lost = await home.startSleeper('clock');
    home.writeRaw('clock', '{');
    const next = await home.startSleeper('clock');
    expect([isAlive(lost.pid), isAlive(next.pid)]).toEqual([false, true]);
    expect(home.processes()).toHaveLength(1);
  });

  test('is ended by stop with all of its processes', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'sleep 1000 & setsid sleep 1000 & echo up; wait'], '--ready', 'log:up');
    home.writeRaw('clock', '');
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stale-cleaned');
    expect(home.processes()).toEqual([]);
  });

  test('is killed where it ignores SIGTERM', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 1000; done'], '--ready', 'log:up');
    home.writeRaw('clock', 'null');
    expect((await home.cli(['stop', 'clock', '--grace', '50ms', '--json'])).exitCode).toBe(0);
    expect(home.processes()).toEqual([]);
  });

  test('whose stop signal is none is stopped by the usual one', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    home.writeRaw('clock', JSON.stringify({ ...home.descriptor('clock'), stop: { signal: 'SIGFOO', graceMs: 30_000 } }));
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect(isAlive(pid)).toBe(false);
  });

  test('of another name is left alone', async ({ home }) => {
    const [mine, other] = [await home.startSleeper('clock'), await home.startSleeper('clock2')];
    home.writeRaw('clock', '');
    await home.stop('clock');
    expect([isAlive(mine.pid), isAlive(other.pid)]).toEqual([false, true]);
  });
});

describe('whatever stands in a descriptor', () => {
  test('status tells, start heals or refuses, stop cleans or refuses: nothing throws anything else', async ({ home }) => {
    const real = await home.startSleeper('clock');
    const valid = home.descriptor('clock');
    await home.stop('clock');
    const daemon = home.sleeper('clock');

    const anyField = fc.constantFrom(...Object.keys(valid));
    const anyValue = fc.oneof(fc.jsonValue(), fc.constantFrom(0, 1, -1, 2 ** 31, 'x', '', null, [], {}, 1.5));
    const mutated = fc
      .tuple(fc.dictionary(anyField, anyValue, { minKeys: 1, maxKeys: 3 }), fc.subarray(Object.keys(valid)))
      .map(([changes, dropped]) => {
        const all: Record<string, unknown> = { ...valid, ...changes };
        for (const field of dropped.length === Object.keys(valid).length ? [] : dropped.slice(0, 2)) delete all[field];
        // Never one of ours: it would be ended, and rightly so.
        if (typeof all.pid === 'number' && all.pid !== real.pid && isAlive(all.pid)) all.startToken = '1';
        return JSON.stringify(all);
      });
    const anyContent = fc.oneof(
      { weight: 4, arbitrary: mutated },
      { weight: 1, arbitrary: fc.json() },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 64 }) },
    );
    await fc.assert(
      fc.asyncProperty(anyContent, async (content) => {
        home.writeRaw('clock', content);
        const { status } = await daemon.status();
        expect(['stale', 'unknown', 'stopped']).toContain(status);
        const outcome = await daemon.start().then(
          (running) => running.outcome,
          (error) => (isDaemonError(error) ? error.code : error),
        );
        expect(outcome).toBe(status === 'unknown' ? 'unknown-daemon' : 'started');
        if (status === 'unknown') rmSync(home.at('clock', 'daemon.json'), { recursive: true });
        expect((await daemon.stop()).outcome).toBe(status === 'unknown' ? 'already-stopped' : 'stopped');
      }),
      { numRuns: 30 },
    );
  });
});

import { chmodSync, mkdirSync } from 'node:fs';
import { Writable } from 'node:stream';
import { describe, expect } from 'vitest';
import type { Daemon, DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { isAlive, untilDead } from '../support/processes.js';
import { libraryFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { Captured } from './support/captured.js';

const { defineDaemon, runDaemonVerb } = loadLibrary();

function sleeper(home: TemporaryHome, options: Partial<DaemonOptions> = {}): Daemon {
  return defineDaemon({ name: 'acmed', command: 'sleep', args: ['1000'], cwd: home.folder, home: home.path, ...options });
}

/** A verb as the users of `acme` know it. */
async function run(daemon: Daemon, ...argv: readonly string[]) {
  const { stdout, stderr, ...captured } = new Captured();
  const exitCode = await runDaemonVerb(daemon, argv, { stdout, stderr, program: 'acme' });
  return { ...captured, exitCode, stdout: stdout.text, stderr: stderr.text };
}

async function runJson(daemon: Daemon, ...argv: readonly string[]) {
  const captured = new Captured();
  const exitCode = await runDaemonVerb(daemon, [...argv, '--json'], captured);
  return { exitCode, ...captured.json };
}

describe.concurrent('a mounted verb', () => {
  test('starts, tells, restarts and stops the daemon, in a line each', async ({ home }) => {
    const daemon = sleeper(home);
    const started = await run(daemon, 'start');
    const { pid } = home.descriptor('acmed');
    expect(started).toEqual({ exitCode: 0, stdout: `acmed started (pid ${pid})\n`, stderr: '' });
    expect(await run(daemon, 'start')).toEqual({
      exitCode: 0,
      stdout: `acmed is already running (pid ${pid})\n`,
      stderr: 'warning: acmed is already running, nothing was changed\n',
    });
    expect(await run(daemon, 'status')).toEqual({ exitCode: 0, stdout: `acmed is running (pid ${pid})\n`, stderr: '' });
    const restarted = await run(daemon, 'restart', '--grace', '3s');
    const { pid: next } = home.descriptor('acmed');
    expect(restarted).toEqual({ exitCode: 0, stdout: `acmed restarted (pid ${next})\n`, stderr: '' });
    expect([isAlive(pid), isAlive(next)]).toEqual([false, true]);
    expect(await run(daemon, 'stop', '--grace=3s')).toEqual({ exitCode: 0, stdout: `acmed stopped (pid ${next})\n`, stderr: '' });
    expect(await run(daemon, 'stop')).toEqual({ exitCode: 0, stdout: 'acmed is already stopped\n', stderr: '' });
    expect(await run(daemon, 'status')).toEqual({ exitCode: 3, stdout: 'acmed is stopped\n', stderr: '' });
  });

  test('answers with the same JSON as the command line', async ({ home }) => {
    const daemon = sleeper(home);
    expect(await runJson(daemon, 'status')).toEqual({ exitCode: 3, ...(await home.cli(['status', 'acmed', '--json'])).json });
    const started = await runJson(daemon, 'start');
    const { pid, instanceId, socket } = home.descriptor('acmed');
    const places = { log: home.at('acmed', 'daemon.log'), descriptor: home.at('acmed', 'daemon.json') };
    expect(started).toEqual({
      exitCode: 0,
      schema: 1,
      name: 'acmed',
      outcome: 'started',
      status: 'running',
      pid,
      instanceId,
      socket,
      ...places,
    });
    expect(await runJson(daemon, 'status')).toEqual({ exitCode: 0, ...(await home.cli(['status', 'acmed', '--json'])).json });
    expect(await runJson(daemon, 'start')).toEqual({ ...started, outcome: 'already-running' });
    expect(await runJson(daemon, 'logs')).toEqual({ exitCode: 0, schema: 1, name: 'acmed', lines: [] });
    const stopped = { exitCode: 0, schema: 1, name: 'acmed', status: 'stopped', escaped: [] };
    expect(await runJson(daemon, 'stop')).toEqual({ ...stopped, outcome: 'stopped' });
    expect(await runJson(daemon, 'stop')).toEqual({ ...stopped, outcome: 'already-stopped' });
  });

  test('status exits with 1 where it is stale and 4 where nobody can tell, and hints at verbs that the user has', async ({ home }) => {
    const daemon = sleeper(home);
    const { pid } = await daemon.start();
    process.kill(pid, 'SIGKILL');
    await untilDead(pid);
    const stale = await run(daemon, 'status');
    expect(stale).toMatchObject({ exitCode: 1, stderr: '' });
    expect(stale.stdout).toMatch(
      /^acmed is stale \([a-z-]+\): acme daemon logs may tell why; acme daemon start starts it again, acme daemon stop clears the record\n$/,
    );
    await daemon.stop();
    home.forge('acmed', { host: 'elsewhere' });
    expect(await run(daemon, 'status')).toEqual({
      exitCode: 4,
      stdout: 'acmed is unknown (other-host): ask where it was started, or clear the record with acme daemon start --force\n',
      stderr: '',
    });
    const refused = await run(daemon, 'start');
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^acme: .*; ask where it was started, or clear the record: acme daemon start --force\n$/);
    expect(await run(daemon, 'start', '--force')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('status exits with 4 where the home can not be trusted, in JSON too', async ({ home }) => {
    const daemon = sleeper(home);
    mkdirSync(home.path);
    chmodSync(home.path, 0o777);
    const { exitCode, stdout, stderr } = await run(daemon, 'status');
    expect([exitCode, stdout]).toEqual([4, '']);
    expect(stderr).toMatch(/^acme: [^\n]*; mend its owner and mode\n$/);
    expect(await runJson(daemon, 'status')).toMatchObject({ exitCode: 4, error: { code: 'unsafe-home' } });
    expect(await runJson(daemon, 'stop')).toMatchObject({ exitCode: 4, error: { code: 'unsafe-home' } });
  });

  test('that fails says so in one line of the host program, with its last words, and no stack', async ({ home }) => {
    expect(await run(sleeper(home, { command: 'no-such-command' }), 'start')).toEqual({
      exitCode: 5,
      stdout: '',
      stderr: 'acme: command not found: no-such-command; check its spelling and PATH\n',
    });
    const dying = sleeper(home, { command: 'sh', args: ['-c', 'echo sorry; exit 9'], ready: 'notify' });
    const failed = await run(dying, 'start');
    expect(failed).toMatchObject({ exitCode: 1, stdout: '' });
    expect(failed.stderr).toMatch(/^acme: acmed ended [^\n]*\n {2}\| sorry\n$/);
    expect(await runJson(dying, 'start')).toMatchObject({
      exitCode: 1,
      schema: 1,
      error: { code: 'ended-before-ready', exitCode: 9, logTail: ['sorry'], message: expect.any(String), hint: expect.any(String) },
    });
  });

  test('that a host broke by itself fails as one that nobody foresaw', async ({ home }) => {
    const broken = {
      ...sleeper(home),
      name: 'acmed',
      status: () => Promise.reject(new TypeError('x is not a function\n    at somewhere')),
    };
    expect(await run(broken as Daemon, 'status')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'acme: x is not a function; please report this\n',
    });
  });

  const mistakes: readonly (readonly [readonly string[], string])[] = [
    [[], 'no verb is given; verbs are start, stop, restart, status, logs'],
    [['fly'], 'unknown verb "fly"; verbs are start, stop, restart, status, logs'],
    [['start', '--bogus'], 'unknown option "--bogus" for start; allowed are --json, --force'],
    [['start', 'web'], 'start takes no "web"; there is one daemon'],
    [['start', '--', 'web'], 'start takes no "web"; there is one daemon'],
    [['start', '--force=no'], '--force takes no value'],
    [['stop', '--grace'], '--grace needs a value'],
    [['stop', '--grace', '--json'], '--grace needs a value, which "--json" is not'],
    [['stop', '--grace', 'soon'], 'invalid --grace "soon"; '],
    [['stop', '--grace='], '--grace needs a value'],
    [['logs', '-n', 'many'], 'invalid --lines "many"; '],
    [['logs', '-nx'], 'invalid --lines "x"; '],
    [['logs', '-x'], 'unknown option "-x" for logs; allowed are --json, --follow, --lines'],
    [['logs', '-f', '--json'], 'logs --follow gives no single JSON object; leave out --json or --follow'],
  ];
  test.for(mistakes.map(([argv, message]) => ({ argv, message, what: argv.join(' ') })))(
    'wrong usage exits with 2 and one line: $what',
    async ({ argv, message }, { home }) => {
      const daemon = sleeper(home);
      const told = await runJson(daemon, ...argv);
      expect(told).toMatchObject({ exitCode: 2, schema: 1, error: { code: 'usage' } });
      expect(`${told.error.message}; ${told.error.hint}`).toContain(message.replace(/; $/, ''));
      if (argv.includes('--json')) return;
      const { exitCode, stdout, stderr } = await run(daemon, ...argv);
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^acme: [^\n]*\n$/);
      expect(stderr).toContain(message);
    },
  );

  test('tells its verbs and their options', async ({ home }) => {
    const daemon = sleeper(home);
    const overview = await run(daemon, '--help');
    expect(overview).toMatchObject({ exitCode: 0, stderr: '' });
    expect(overview.stdout).toMatch(/^Usage: acme daemon <verb> \[options\]\n/);
    for (const argv of [
      ['logs', '--help'],
      ['help', 'logs'],
    ]) {
      const { stdout } = await run(daemon, ...argv);
      expect(stdout).toMatch(/^Usage: acme daemon logs \[options\]\n/);
      expect(stdout).toContain('-n, --lines 10');
    }
  });

  test('without a program speaks in the name of the daemon', async ({ home }) => {
    const { stdout, stderr } = new Captured();
    expect(await runDaemonVerb(sleeper(home), ['logs'], { stdout, stderr })).toBe(1);
    expect([stdout.text, stderr.text]).toEqual(['', 'acmed: acmed has never been started; acmed daemon start starts it\n']);
  });

  test('is cancelled by a signal, and the daemon that was being started is ended', async ({ home }) => {
    const daemon = sleeper(home, { ready: 'notify' });
    const controller = new AbortController();
    const { stdout, stderr } = new Captured();
    const running = runDaemonVerb(daemon, ['start'], { stdout, stderr, signal: controller.signal });
    controller.abort();
    expect(await running).toBe(1);
    expect(stderr.text).toMatch(/^acmed: [^\n]*cancelled[^\n]*\n$/);
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('mounted logs', () => {
  const talker = (home: TemporaryHome) =>
    sleeper(home, { command: 'sh', args: ['-c', 'echo one; echo two; echo three; exec sleep 1000'], ready: 'log:three' });

  test('give the last lines, of a daemon that runs and one that ran', async ({ home }) => {
    const daemon = talker(home);
    await daemon.start();
    expect(await run(daemon, 'logs', '-n', '2')).toEqual({ exitCode: 0, stdout: 'two\nthree\n', stderr: '' });
    await daemon.stop();
    expect(await run(daemon, 'logs')).toEqual({ exitCode: 0, stdout: 'one\ntwo\nthree\n', stderr: '' });
    expect(await run(daemon, 'logs', '-n0')).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('follow what it writes over a restart, until a signal', async ({ home }) => {
    const daemon = talker(home);
    await daemon.start();
    const controller = new AbortController();
    const { stdout, stderr } = new Captured();
    const following = runDaemonVerb(daemon, ['logs', '-f', '-n', '1'], { stdout, stderr, signal: controller.signal });
    await stdout.says('three\n');
    await daemon.restart();
    await stdout.says('three\none\ntwo\nthree\n');
    controller.abort();
    expect(await following).toBe(0);
    expect([stdout.text, stderr.text]).toEqual(['three\none\ntwo\nthree\n', '']);
  });

  test('end where their reader is gone, without an error that nobody handles', async ({ home }) => {
    const daemon = talker(home);
    await daemon.start();
    const gone = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    expect(await runDaemonVerb(daemon, ['logs', '-f'], { stdout: gone, stderr: gone })).toBe(0);
    expect(await runDaemonVerb(daemon, ['status'], { stdout: gone, stderr: gone })).toBe(0);
  });

  test('fail with one line on stderr where the system takes no output', async ({ home }) => {
    const full = () => new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('no space'), { code: 'ENOSPC' })) });
    for (const argv of [['status'], ['status', '--json']]) {
      const { stderr } = new Captured();
      expect(await runDaemonVerb(sleeper(home), argv, { stdout: full(), stderr, program: 'acme' })).toBe(1);
      expect(stderr.text).toBe("acme: can't write to the standard output: ENOSPC; free some space, or write to another file\n");
    }
  });
});

describe('a host without clipanion', () => {
  test('runs a verb on the standard streams, loads no clipanion, and ends by itself', async ({ home }) => {
    const options = { name: 'acmed', command: 'sleep', args: ['1000'], home: home.path };
    const script = `import(${JSON.stringify(libraryFile)}).then(async ({ defineDaemon, runDaemonVerb }) => {
      process.exitCode = await runDaemonVerb(defineDaemon(${JSON.stringify(options)}), ['status'], { program: 'acme' });
      console.log(Object.keys(require('module')._cache).filter((file) => file.includes('clipanion')).length, 'of clipanion');
    })`;
    expect(await home.spawn(process.execPath, ['-e', script]).end()).toMatchObject({
      exitCode: 3,
      stdout: 'acmed is stopped\n0 of clipanion\n',
      stderr: '',
    });
  });
});

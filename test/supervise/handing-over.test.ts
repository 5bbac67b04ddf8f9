import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { environmentOf, hasExecuted, isAlive, untilDead } from '../support/processes.js';
import { commandLine } from '../support/suite.js';
import { type AnyJson, type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import {
  endsAtLatch,
  killNow,
  nextRun,
  recordedRuns,
  runsOf,
  startKept,
  statusOf,
  supervisorOf,
  takenOver,
  untilLeft,
} from './support/supervised.js';

/** Every regular file of the home and what is in it. */
function filesIn(folder: string): readonly { readonly path: string; readonly text: string }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const path = join(folder, name);
    try {
      return statSync(path).isFile() ? [{ path, text: readFileSync(path, 'latin1') }] : [];
    } catch (error) {
      // A file that is written under another name first is gone by then.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

async function startWith(home: TemporaryHome, env: Record<string, string>, ...options: string[]): Promise<AnyJson> {
  const end = await home.cli(['start', 'clock', '--restart', 'always', '--json', ...options, '--', 'sleep', '1000'], { env });
  expect([end.exitCode, end.stderr]).toEqual([0, '']);
  return end.json;
}

/** The same command, plain and supervised, under the same name in two homes: what reaches the one reaches the other. */
async function startTwice(home: TemporaryHome, env: Record<string, string>, ...options: string[]) {
  const ofPlain = await home.cli(['start', 'clock', '--home', home.file('plain'), '--json', ...options, '--', 'sleep', '1000'], { env });
  const plain = ofPlain.json;
  const kept = await startWith(home, env, ...options);
  const places = ['DAEMONRY_INSTANCE', 'DAEMONRY_SOCKET', 'DAEMONRY_DESCRIPTOR'];
  const unplaced = (pid: number) => Object.fromEntries(Object.entries(environmentOf(pid)).filter(([name]) => !places.includes(name)));
  const facts = (pid: number) => ({ env: unplaced(pid), cwd: readlinkSync(`/proc/${pid}/cwd`), input: readlinkSync(`/proc/${pid}/fd/0`) });
  return { plain: facts(plain.pid), kept: facts(kept.pid), restarted: async () => facts((await restarted(home, kept)).pid) };
}

async function restarted(home: TemporaryHome, run: AnyJson): Promise<AnyJson> {
  await killNow(run.pid);
  return nextRun(home, 'clock', run);
}

describe.concurrent('what reaches a supervised daemon as it reaches a plain one', () => {
  const variables = { LANG: 'C.UTF-8', MINE: 'a b\n"c" $d', 'odd.name': '1', IFS: 'x', EMPTY: '' };

  test('the environment of its caller, who need not be the one who started the supervisor', async ({ home }) => {
    await startKept(home, 'first');
    const { plain, kept, restarted } = await startTwice(home, variables);
    expect(plain.env).toMatchObject({ ...variables, DAEMONRY_NAME: 'clock' });
    expect(kept).toEqual(plain);
    expect(await restarted()).toEqual(plain);
  });

  test('a clean one, with what is named, given and read from files', async ({ home }) => {
    home.file('vars', 'FROM_FILE=yes\n');
    const options = ['--clean-env', '--pass-env', 'MINE', '--env', 'GIVEN=1', '--env-file', 'vars'];
    const { plain, kept, restarted } = await startTwice(home, variables, ...options);
    const { PATH, HOME } = home.env;
    expect(plain.env).toEqual({ PATH, HOME, MINE: variables.MINE, GIVEN: '1', FROM_FILE: 'yes', DAEMONRY_NAME: 'clock', PWD: home.folder });
    expect(kept).toEqual(plain);
    home.file('vars', 'FROM_FILE=later\n');
    expect(await restarted()).toEqual({ ...plain, env: { ...plain.env, FROM_FILE: 'later' } });
  });

  test('no pipe in the place of a file of variables, for which its supervisor would wait again and again', async ({ home }) => {
    await startKept(home, 'first');
    const told =
      /^daemonry: can't read the environment file [^\n]+: it is a pipe, which can not be read again at a restart; a supervised daemon [^\n]+\n$/;
    const shell = 'exec "$0" "$1" start clock --restart always --env-file <(echo A=1) -- sleep 1000';
    const end = await home.spawn('bash', ['-c', shell, process.execPath, commandLine]).end();
    expect([end.exitCode, end.stdout, end.stderr]).toEqual([2, '', expect.stringMatching(told)]);
    expect(home.descriptor('clock')).toBeUndefined();
    // One that comes in the place of a file later is none at a restart either, and keeps nobody waiting.
    const file = home.file('vars', 'A=1\n');
    const run = await startKept(home, 'clock', ['sleep', '1000'], '--env-file', file, '--restart-limit', '1');
    rmSync(file);
    execFileSync('mkfifo', [file]);
    await killNow(run.pid);
    await recordedRuns(home, 'clock', 1);
    expect(runsOf(home, 'clock')[0].decision).toContain('it is a pipe');
    await startKept(home, 'other');
  });

  test('its folder, from which its command is found', async ({ home }) => {
    home.file('place/run', '#!/bin/sh\npwd\nexec sleep 1000\n', 0o755);
    const run = await startKept(home, 'clock', ['./run'], '--cwd', 'place');
    await home.logSays('clock', `${home.file('place')}\n`);
    expect(readlinkSync(`/proc/${run.pid}/cwd`)).toBe(home.file('place'));
    expect(readlinkSync(`/proc/${(await restarted(home, run)).pid}/cwd`)).toBe(home.file('place'));
  });

  test('the PATH of its caller, in which its command is looked for', async ({ home }) => {
    await startKept(home, 'first');
    home.file('tools/my-own-tool', '#!/bin/sh\nexec sleep 1000\n', 0o755);
    const env = { PATH: `${home.file('tools')}:${home.env.PATH}` };
    const end = await home.cli(['start', 'clock', '--restart', 'always', '--json', '--', 'my-own-tool'], { env });
    expect(end.json).toMatchObject({ outcome: 'started' });
    await restarted(home, end.json);
  });

  test('a start without a command takes what is remembered, and the environment of now', async ({ home }) => {
    await startWith(home, { WHEN: 'first' }, '--env', 'A=1');
    await home.stop('clock');
    const end = await home.cli(['start', 'clock', '--json'], { env: { WHEN: 'later' } });
    expect(end.json).toMatchObject({ outcome: 'started' });
    expect(environmentOf(end.json.pid)).toMatchObject({ WHEN: 'later', A: '1' });
    expect(environmentOf((await restarted(home, end.json)).pid)).toMatchObject({ WHEN: 'later', A: '1' });
    expect(home.descriptor('clock').supervisedBy.pid).toBe(supervisorOf(home).pid);
  });

  test('a secret of the environment stands in no file of the home', async ({ home }) => {
    const secret = 'hush-4711-hush';
    const started = await startWith(home, { TOKEN: secret }, '--ready', 'exec');
    await restarted(home, started);
    await recordedRuns(home, 'clock', 1);
    const { pid } = home.descriptor('clock');
    expect(environmentOf(pid).TOKEN).toBe(secret);
    const telling = filesIn(home.path).filter(({ text }) => text.includes(secret) || text.includes('TOKEN'));
    expect(telling.map(({ path }) => path)).toEqual([]);
    expect(filesIn(home.path).map(({ path }) => path)).toContain(home.at('supervisor', 'daemon.log'));
  });

  test('an environment that does not fit into one message is refused in one line, and nothing is started', async ({ home }) => {
    const env = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`LARGE_${index}`, 'x'.repeat(100_000)]));
    const end = await home.cli(['start', 'clock', '--restart', 'always', '--', 'sleep', '1000'], { env });
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toMatch(/^daemonry: command and environment are too long for a supervised daemon[^\n]*--clean-env[^\n]*\n$/);
    expect(home.descriptor('clock')).toBeUndefined();
    expect(home.processes().map(({ pid }) => pid)).toEqual([supervisorOf(home).pid]);
    // What it says helps.
    const clean = await home.cli(['start', 'clock', '--restart', 'always', '--clean-env', '--', 'sleep', '1000'], { env });
    expect([clean.exitCode, clean.stderr]).toEqual([0, '']);
  });
});

describe.concurrent('a start through the supervisor', () => {
  test('answers as a plain one does', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--restart', 'always', '--json', '--', 'sleep', '1000']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    const { pid, instanceId, socket } = home.descriptor('clock');
    const places = { log: home.at('clock', 'daemon.log'), descriptor: home.at('clock', 'daemon.json') };
    expect(end.json).toEqual({ schema: 1, name: 'clock', outcome: 'started', status: 'running', pid, instanceId, socket, ...places });
    expect((await home.cli(['restart', 'clock'])).stdout).toMatch(/^clock restarted \(pid \d+\)\n$/);
  });

  test('of one that runs says so, and what differs, and changes nothing', async ({ home }) => {
    const { pid } = await startKept(home, 'clock');
    const end = await home.cli(['start', 'clock', '--restart', 'on-failure', '--', 'sleep', '999']);
    expect(end).toMatchObject({ exitCode: 0, stdout: `clock is already running (pid ${pid})\n` });
    expect(end.stderr).toMatch(
      /^warning: clock is already running, nothing was changed; it was started with another command, restart: [^\n]+\n$/,
    );
    expect(JSON.parse(readFileSync(home.at('clock', 'spec.json'), 'utf8'))).toMatchObject({
      restart: 'always',
      command: ['sleep', '1000'],
    });
  });

  test('of a command that can not be found is exit 5, and nothing is supervised', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--restart', 'always', '--json', '--', 'no-such-command']);
    expect([end.exitCode, end.json.error.code]).toEqual([5, 'command-not-found']);
    expect(home.descriptor('clock')).toBeUndefined();
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(home.processes()).toEqual([]);
  });

  test('of a folder that is gone is exit 2, named', async ({ home }) => {
    mkdirSync(home.file('gone'));
    await startKept(home, 'clock', ['sleep', '1000'], '--cwd', 'gone');
    await home.stop('clock');
    rmSync(home.file('gone'), { recursive: true });
    const end = await home.cli(['start', 'clock']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toBe(`daemonry: can't use ${home.file('gone')} as the working folder: ENOENT; see daemonry start --help\n`);
  });

  test('of one that ends before it is ready tells its exit code and last lines, and does not restart it', async ({ home }) => {
    const command = ['sh', '-c', 'echo one; echo two >&2; exit 7'];
    const end = await home.cli(['start', 'clock', '--restart', 'always', '--ready', 'log:never', '--json', '--', ...command]);
    expect(end.exitCode).toBe(1);
    expect(end.json.error).toMatchObject({ code: 'ended-before-ready', name: 'clock', exitCode: 7, signal: null, logTail: ['one', 'two'] });
    expect(home.descriptor('clock')).toBeUndefined();
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(runsOf(home, 'clock')).toMatchObject([{ cause: 'crash', exitCode: 7, logTail: ['one', 'two'] }]);
    expect(home.log('clock')).toBe('one\ntwo\n');
  });

  test('of one that is killed before it is ready tells the signal', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--restart', 'always', '--ready', 'log:never', '--json', '--', 'sh', '-c', 'kill -9 $$']);
    expect(end.json.error).toMatchObject({ code: 'ended-before-ready', exitCode: null, signal: 'SIGKILL' });
  });

  test('of one that is not ready in time is exit 124, and ends it', async ({ home }) => {
    const options = ['--ready', 'log:never', '--ready-timeout', '200ms'];
    const end = await home.cli([
      'start',
      'clock',
      '--restart',
      'always',
      ...options,
      '--json',
      '--',
      'sh',
      '-c',
      'echo no; exec sleep 1000',
    ]);
    expect([end.exitCode, end.json.error.code]).toEqual([124, 'ready-timeout']);
    expect(isAlive(end.json.error.pid)).toBe(false);
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: null });
    expect(runsOf(home, 'clock')).toMatchObject([{ cause: 'stop' }]);
  });

  test('of one that may take longer is supervised from the start', async ({ home }) => {
    const options = ['--ready', 'log:never', '--ready-timeout', '200ms', '--on-timeout', 'keep'];
    const end = await home.cli(['start', 'clock', '--restart', 'always', ...options, '--json', '--', 'sleep', '1000']);
    expect(end.json).toMatchObject({ outcome: 'starting', pid: home.descriptor('clock').pid });
    await killNow(end.json.pid);
    await waitFor('another run', () => ![undefined, end.json.instanceId].includes(home.descriptor('clock')?.instanceId));
  });

  test('that is interrupted ends the daemon, and nothing starts it again', async ({ home }) => {
    const start = home.spawnCli([
      'start',
      'clock',
      '--restart',
      'always',
      '--ready',
      'log:never',
      '--',
      'sh',
      '-c',
      'echo up; exec sleep 1000',
    ]);
    await waitFor('the command to be executed', () => hasExecuted(home.descriptor('clock')?.pid));
    const { pid } = home.descriptor('clock');
    start.kill('SIGINT');
    await start.end();
    await untilDead(pid);
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(home.descriptor('clock')).toBeUndefined();
    expect(home.processes()).toEqual([]);
    expect(runsOf(home, 'clock')).toMatchObject([{ cause: 'stop', decision: expect.stringContaining('cancelled') }]);
  });

  test('leaves no trace of the daemon in the supervisor’s working folder, output and session', async ({ home }) => {
    await startKept(home, 'clock');
    const { pid } = supervisorOf(home);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
    expect(home.log('clock')).toBe('');
  });

  test('of a plain daemon needs no supervisor, beside supervised ones', async ({ home }) => {
    await startKept(home, 'kept');
    const { pid } = await home.startSleeper('plain');
    expect(home.descriptor('plain')).toMatchObject({ pid, supervisedBy: null });
    await killNow(pid);
    expect((await home.cli(['status', 'plain'])).exitCode).toBe(1);
  });

  test('gives each run its own log offset, and all of it to logs', async ({ home }) => {
    const latch = home.latch('latch');
    const first = await startKept(home, 'clock', endsAtLatch(latch, 1), '--ready', 'log:up');
    latch.open();
    const second = await nextRun(home, 'clock', first);
    expect(second.logOffset).toBe('up\ngoing\n'.length);
    expect((await home.cli(['logs', 'clock'])).stdout).toBe('up\ngoing\nup\n');
  });
});

test('a supervisor that is suspended is told as such, and keeps nobody waiting for ever; doctor --fix replaces it', async ({ home }) => {
  const first = await startKept(home, 'first');
  const { pid } = supervisorOf(home);
  process.kill(pid, 'SIGSTOP');
  try {
    const [end, doctor] = await Promise.all([
      home.cli(['start', 'clock', '--restart', 'always', '--json', '--', 'sleep', '1000']),
      home.cli(['doctor', '--json']),
    ]);
    expect(end.exitCode).toBe(124);
    expect(end.json.error).toMatchObject({ code: 'supervisor-hangs', name: 'supervisor' });
    expect(doctor.exitCode).toBe(1);
    expect(doctor.json.findings).toMatchObject([{ code: 'hanging-supervisor', name: 'supervisor', fixed: false }]);
    expect(doctor.json.findings[0].message).toContain(`pid ${pid}`);
    expect(doctor.json.findings[0].hint).toMatch(new RegExp(`kill -CONT ${pid} .*daemonry stop supervisor`));
    const fixed = await home.cli(['doctor', '--fix', '--json']);
    expect([fixed.exitCode, fixed.json.findings.map(({ code, fixed }: AnyJson) => [code, fixed])]).toEqual([
      0,
      [['hanging-supervisor', true]],
    ]);
  } finally {
    if (isAlive(pid)) process.kill(pid, 'SIGCONT');
  }
  expect(isAlive(pid)).toBe(false);
  await takenOver(home, 'first', { instanceId: first.instanceId });
  await waitFor('the new supervisor', () => home.descriptor('first').supervisedBy.pid === supervisorOf(home).pid);
  expect(home.descriptor('first').pid).toBe(first.pid);
  expect((await home.cli(['doctor', '--json'])).json.findings).toEqual([]);
});

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { isAlive } from '../support/processes.js';
import { fixture, packageRoot, serveFile } from '../support/suite.js';
import { test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

describe.concurrent('run', () => {
  test("shows the output, exits with the command's code, and leaves no record", async ({ home }) => {
    const end = await home.cli(['run', 'clock', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(end).toMatchObject({ exitCode: 7, stdout: 'out\nerr\n', stderr: '' });
    expect(home.descriptor('clock')).toBeUndefined();
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(3);
  });

  test('exits with 0 where the command does', async ({ home }) => {
    expect(await home.cli(['run', 'clock', '--', 'true'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });

  test('exits with 128 and the signal that ended the command', async ({ home }) => {
    expect((await home.cli(['run', 'clock', '--', 'sh', '-c', 'kill -USR1 $$'])).exitCode).toBe(128 + 10);
  });

  test('is a daemon like any other while it runs', async ({ home }) => {
    const run = home.spawnCli(['run', 'clock', '--', 'sh', '-c', 'echo up; exec sleep 1000']);
    await run.says('up\n');
    const { pid } = home.descriptor('clock');
    expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'running', pid });
    // By whomever it is stopped, whoever ran it learns of it.
    expect((await home.cli(['stop', 'clock'])).exitCode).toBe(0);
    expect(await run.end()).toMatchObject({ exitCode: 128 + 15 });
  });

  test('stops it cleanly by Ctrl-C, with all of its processes', async ({ home }) => {
    const run = home.spawnCli(['run', 'clock', '--', 'sh', fixture('prints-its-trap.sh')]);
    await run.says('trapping\n');
    const { pid } = home.descriptor('clock');
    run.kill('SIGINT');
    expect(await run.end()).toMatchObject({ exitCode: 7, stderr: '' });
    expect(isAlive(pid)).toBe(false);
    expect(home.log('clock')).toContain('caught TERM');
    expect(home.processes()).toEqual([]);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('asks a daemon that serves to end, by Ctrl-C', async ({ home }) => {
    const run = home.spawnCli(['run', 'clock', '--ready', 'socket', '--', process.execPath, fixture('serves.mjs'), serveFile]);
    await waitFor('the daemon to be ready', () => home.descriptor('clock')?.phase === 'ready');
    run.kill('SIGINT');
    expect((await run.end()).exitCode).toBe(0);
    expect(home.log('clock')).toContain('stopping: shutdown');
  });

  test('ends the daemon when it is interrupted before that is ready', async ({ home }) => {
    const run = home.spawnCli(['run', 'clock', '--ready', 'notify', '--', 'sh', '-c', 'echo loading; exec sleep 1000']);
    await home.logSays('clock', 'loading');
    run.kill('SIGINT');
    const end = await run.end();
    expect(end).toMatchObject({ exitCode: 1, stdout: 'loading\n' });
    expect(end.stderr).toContain('the start of clock was cancelled');
    expect(home.processes()).toEqual([]);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('answers with one JSON object, and keeps the output for the log', async ({ home }) => {
    const end = await home.cli(['run', 'clock', '--json', '--', 'sh', '-c', 'echo noise; exit 3']);
    expect(end).toMatchObject({ exitCode: 3, stderr: '' });
    expect(end.json).toMatchObject({ schema: 1, name: 'clock', pid: expect.any(Number), exitCode: 3, signal: null });
    expect(home.log('clock')).toBe('noise\n');
  });

  test('of a daemon that runs already fails, and leaves that alone', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const end = await home.cli(['run', 'clock', '--json', '--', 'sleep', '999']);
    expect(end.exitCode).toBe(1);
    expect(end.json.error).toMatchObject({ code: 'already-running', name: 'clock', pid, hint: 'stop it first: daemonry stop clock' });
    expect(isAlive(pid)).toBe(true);
  });

  test('uses the remembered spec where no command is given', async ({ home }) => {
    const latch = home.latch('latch');
    await home.start('clock', ['sh', '-c', 'echo remembered; read -r _ <"$1"; exit 4', 'sh', latch.path], '--ready', 'log:remembered');
    await home.stop('clock');
    const run = home.spawnCli(['run', 'clock']);
    await run.says('remembered\n');
    latch.open();
    expect((await run.end()).exitCode).toBe(4);
  });

  test('of a command that is not there exits 5', async ({ home }) => {
    expect((await home.cli(['run', 'clock', '--', 'no-such-command'])).exitCode).toBe(5);
  });
});

describe('run: what a second look found', () => {
  test('passes on output and exit code of a command that is over at once', async ({ home }) => {
    for (let round = 0; round < 5; round++) {
      expect(await home.cli(['run', 'clock', '--', 'sh', '-c', 'echo hi; exit 7'])).toMatchObject({
        exitCode: 7,
        stdout: 'hi\n',
        stderr: '',
      });
    }
  });

  test('shows the last words of a daemon that is interrupted', async ({ home }) => {
    const script = 'trap "echo ending; sleep 0.2; echo ended; exit 8" TERM; echo up; while :; do sleep 0.02; done';
    const run = home.spawnCli(['run', 'clock', '--', 'sh', '-c', script]);
    await home.logSays('clock', 'up');
    run.kill('SIGINT');
    expect(await run.end()).toMatchObject({ exitCode: 8, stdout: 'up\nending\nended\n' });
  });

  test('leaves a successor alone that somebody else has started', async ({ home }) => {
    const run = home.spawnCli(['run', 'clock', '--', 'sh', '-c', 'echo up; exec sleep 1000']);
    await home.logSays('clock', 'up');
    const { pid } = (await home.cli(['restart', 'clock', '--json'])).json as { pid: number };
    await run.end();
    expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'running', pid });
  });

  test('stops its daemon by Ctrl-C though the package was removed under it (F52)', async ({ home }) => {
    const installed = home.file('installed');
    for (const part of ['bin', 'dist']) cpSync(join(packageRoot, part), join(installed, part), { recursive: true });
    const serving = ['--ready', 'socket', '--', process.execPath, fixture('serves.mjs'), serveFile];
    const run = home.spawn(process.execPath, ['--', join(installed, 'bin/daemonry.cjs'), 'run', 'clock', ...serving]);
    await waitFor('the daemon to be ready', () => home.descriptor('clock')?.phase === 'ready');
    rmSync(installed, { recursive: true });
    run.kill('SIGINT');
    expect(await run.end()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(home.log('clock')).toContain('stopping: shutdown');
    expect(home.processes()).toEqual([]);
  });
});

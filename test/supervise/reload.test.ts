import { describe, expect } from 'vitest';
import { isAlive } from '../support/processes.js';
import { fixture, serveFile } from '../support/suite.js';
import { test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import { atOnce, killNow, nextRun, rememberAnother, startKept } from './support/supervised.js';

const ready = ['--ready', 'log:up'];

describe.concurrent('reload', () => {
  test('asks a daemon that speaks the control protocol, and says when it is done', async ({ home }) => {
    const { pid } = await home.start('clock', [process.execPath, fixture('serves.mjs'), serveFile], '--ready', 'socket');
    const end = await home.cli(['reload', 'clock', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json).toEqual({ schema: 1, name: 'clock', outcome: 'asked', status: 'running', pid });
    expect(home.log('clock')).toContain('reloaded\n');
    expect((await home.cli(['reload', 'clock'])).stdout).toBe(`clock (pid ${pid}) has reloaded\n`);
  });

  test('that fails is told as a failure, and tried once', async ({ home }) => {
    const command = [process.execPath, fixture('serves.mjs'), serveFile, JSON.stringify({ onReload: 'fails' })];
    const { pid } = await home.start('clock', command, '--ready', 'socket');
    const end = await home.cli(['reload', 'clock']);
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toBe(`daemonry: clock (pid ${pid}) could not reload: this can not be read; daemonry logs clock may tell more\n`);
    expect(home.log('clock')).not.toContain('reload failed');
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(0);
  });

  test('tells any other by SIGHUP where it handles it', async ({ home }) => {
    const script = 'trap "echo again" HUP; echo up; while :; do sleep 1000 & wait; done';
    const { pid } = await home.start('clock', ['sh', '-c', script], ...ready);
    expect((await home.cli(['reload', 'clock', '--json'])).json).toEqual({
      schema: 1,
      name: 'clock',
      outcome: 'signalled',
      status: 'running',
      pid,
    });
    await home.logSays('clock', 'again\n');
    expect(isAlive(pid)).toBe(true);
  });

  test('is refused where SIGHUP would end it, which it does not', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const end = await home.cli(['reload', 'clock', '--json']);
    expect([end.exitCode, end.json.error]).toMatchObject([1, { code: 'not-reloadable', name: 'clock', pid }]);
    expect(end.json.error.hint).toBe('daemonry restart clock starts it anew');
    // Nothing is under way: what was sent before would come first.
    process.kill(pid, 'SIGSTOP');
    process.kill(pid, 'SIGCONT');
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(0);
  });

  test('of one that does not run, or was never known, fails and starts nothing', async ({ home }) => {
    const never = await home.cli(['reload', 'clock', '--json']);
    expect([never.exitCode, never.json.error.code]).toEqual([1, 'not-running']);
    await home.startSleeper('clock');
    await home.stop('clock');
    expect((await home.cli(['reload', 'clock', '--json'])).json.error.code).toBe('not-running');
    home.forge('foreign', { host: 'elsewhere' });
    expect((await home.cli(['reload', 'foreign', '--json'])).json.error.code).toBe('unknown-daemon');
    expect(home.processes()).toEqual([]);
  });

  test('of the supervisor: what is remembered of its daemons counts from then on, and none is touched', async ({ home }) => {
    const first = await startKept(home, 'clock', ['sleep', '1000'], ...atOnce);
    rememberAnother(home, 'clock', { command: ['sleep', '2000'] });
    expect((await home.cli(['reload', 'supervisor', '--json'])).json).toMatchObject({ outcome: 'asked' });
    expect(isAlive(first.pid)).toBe(true);
    await killNow(first.pid);
    const second = await nextRun(home, 'clock', first);
    expect(second.command).toEqual(['sleep', '2000']);
    rememberAnother(home, 'clock', { restart: 'never' });
    await home.cli(['reload', 'supervisor']);
    await killNow(second.pid);
    await waitFor('the record to be cleared', () => home.descriptor('clock') === undefined);
  });
});

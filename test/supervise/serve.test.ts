import { describe, expect } from 'vitest';
import { LineClient } from '../serve/support/line-client.js';
import { isAlive } from '../support/processes.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import {
  atOnce,
  inPhase,
  killNow,
  nextRun,
  rememberAnother,
  runsOf,
  startKept,
  statusOf,
  supervisorOf,
  takenOver,
  untilLeft,
} from './support/supervised.js';

/** The supervisor in the foreground of the test. */
async function serve(home: TemporaryHome, ...options: string[]) {
  const program = home.spawnCli(['serve', ...options]);
  await waitFor('the supervisor', () => home.descriptor('supervisor')?.phase === 'ready' || program.ended);
  expect(program.ended).toBe(false);
  return program;
}

describe.concurrent('serve', () => {
  test('keeps daemons running in the foreground, prints its log, and ends all of them when it is asked to end', async ({ home }) => {
    const program = await serve(home);
    const first = await startKept(home, 'one', ['sleep', '1000'], ...atOnce);
    const two = await startKept(home, 'two');
    expect(home.descriptor('one').supervisedBy.pid).toBe(supervisorOf(home).pid);
    await killNow(first.pid);
    const one = await nextRun(home, 'one', first);
    await program.says(`one started again (pid ${one.pid})\n`);
    program.kill('SIGTERM');
    expect(await program.end()).toMatchObject({ exitCode: 0 });
    expect([isAlive(one.pid), isAlive(two.pid)]).toEqual([false, false]);
    expect(home.processes()).toEqual([]);
    expect(runsOf(home, 'two')).toMatchObject([{ cause: 'stop' }]);
    expect(await statusOf(home, 'one')).toMatchObject({ status: 'stopped', phase: null });
    expect(await statusOf(home, 'supervisor')).toMatchObject({ status: 'stopped' });
  });

  test('ends by Ctrl-C as well, and gives daemons their grace', async ({ home }) => {
    const program = await serve(home);
    const script = 'trap "echo ending; exit 0" TERM; echo up; while :; do sleep 1000 & wait; done';
    await startKept(home, 'clock', ['sh', '-c', script], '--ready', 'log:up');
    program.kill('SIGINT');
    expect((await program.end()).exitCode).toBe(0);
    expect(home.log('clock')).toBe('up\nending\n');
    expect(home.processes()).toEqual([]);
  });

  test('starts nothing any more once it is asked to end, and ends what it was just starting', async ({ home }) => {
    const latch = home.latch('latch');
    const program = await serve(home);
    const script = `trap "echo ending; read -r _ <'${latch.path}'; exit 0" TERM; echo up; while :; do sleep 1000 & wait; done`;
    await startKept(home, 'slow', ['sh', '-c', script], '--ready', 'log:up');
    const half = home.spawnCli(['start', 'half', '--restart', 'always', '--ready', 'log:never', '--json', '--', 'sleep', '1000']);
    await inPhase(home, 'half', 'starting');
    // Who has found it just before.
    const client = await LineClient.open(home.descriptor('supervisor').socket);
    program.kill('SIGTERM');
    await home.logSays('slow', 'ending\n');
    const spec = { command: ['sleep', '1000'], cwd: '/', restart: 'always' };
    const request = { ref: { name: 'late' }, spec, environment: { PATH: home.env.PATH } };
    const { result } = await client.ask('supervisor.perform', { verb: 'start', request });
    expect(result).toMatchObject({ failed: { code: 'cancelled', message: expect.stringContaining('ending all of its daemons') } });
    client.socket.destroy();
    latch.open();
    expect(await program.end()).toMatchObject({ exitCode: 0 });
    expect((await half.end()).json.error).toMatchObject({ code: 'cancelled', name: 'half' });
    expect(home.processes()).toEqual([]);
    expect([home.descriptor('half'), home.descriptor('late')]).toEqual([undefined, undefined]);
  });

  test('stays when it has nothing to keep', async ({ home }) => {
    const program = await serve(home);
    const { pid } = supervisorOf(home);
    const elsewhere = home.file('elsewhere');
    await home.start('clock', ['sleep', '1000'], '--home', elsewhere, '--restart', 'always');
    await home.cli(['stop', 'clock', '--home', elsewhere]);
    // One in the background, with as little to do, leaves meanwhile.
    await waitFor('the other to leave', async () => (await home.cli(['status', 'supervisor', '--home', elsewhere])).exitCode === 3);
    expect([program.ended, isAlive(pid)]).toEqual([false, true]);
    program.kill('SIGTERM');
    expect((await program.end()).exitCode).toBe(0);
  });

  test('takes over what a supervisor in the background kept', async ({ home }) => {
    const { pid } = await startKept(home, 'clock');
    const before = supervisorOf(home);
    await home.cli(['stop', 'supervisor']);
    const program = await serve(home);
    expect(await takenOver(home, 'clock', before)).toMatchObject({ pid });
    await program.says(`clock taken over (pid ${pid})`);
    program.kill('SIGTERM');
    expect((await program.end()).exitCode).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  test('passes SIGUSR1 and SIGUSR2 on to its daemons, and SIGHUP to none', async ({ home }) => {
    const program = await serve(home);
    const script = 'trap "echo usr1" USR1; trap "echo usr2" USR2; trap "echo hup" HUP; echo up; while :; do sleep 1000 & wait; done';
    await startKept(home, 'clock', ['sh', '-c', script], '--ready', 'log:up');
    program.kill('SIGHUP');
    program.kill('SIGUSR1');
    await home.logSays('clock', 'usr1\n');
    program.kill('SIGUSR2');
    await home.logSays('clock', 'usr2\n');
    program.kill('SIGTERM');
    await program.end();
    expect(home.log('clock')).toBe('up\nusr1\nusr2\n');
  });

  test('reads again what is remembered of its daemons by SIGHUP', async ({ home }) => {
    const program = await serve(home);
    let run: { pid: number; instanceId: string; command?: string[] } = await startKept(home, 'clock', ['sleep', '1000'], ...atOnce);
    await waitFor('a run of what is remembered now', async () => {
      // Again and again: a run that comes before the signal is remembered instead.
      rememberAnother(home, 'clock', { command: ['sleep', '2000'] });
      program.kill('SIGHUP');
      await killNow(run.pid);
      run = await nextRun(home, 'clock', run);
      return run.command?.[1] === '2000';
    });
    expect(program.ended).toBe(false);
    program.kill('SIGTERM');
    expect((await program.end()).exitCode).toBe(0);
  });

  test('a second one is told that there is one, foreground or background', async ({ home }) => {
    const program = await serve(home);
    const end = await home.cli(['serve', '--json']);
    expect([end.exitCode, end.json.error]).toMatchObject([1, { code: 'already-running', name: 'supervisor', pid: supervisorOf(home).pid }]);
    program.kill('SIGTERM');
    await program.end();
    await startKept(home, 'clock');
    expect(await home.cli(['serve'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/^daemonry: supervisor is already running/),
    });
  });

  test('the same may be asked over its name: stop supervisor ends its daemons, too', async ({ home }) => {
    const program = await serve(home, '--json');
    const { pid } = await startKept(home, 'clock');
    expect((await home.cli(['stop', 'supervisor', '--json'])).json).toMatchObject({ outcome: 'stopped' });
    expect(isAlive(pid)).toBe(false);
    expect((await program.end()).json).toMatchObject({ schema: 1, name: 'supervisor' });
    expect(home.processes()).toEqual([]);
  });

  test('killed with -9, it is missed by its supervisor, which ends all of its daemons in order, and itself', async ({ home }) => {
    const program = await serve(home);
    const script = 'trap "echo ending; exit 0" TERM; echo up; while :; do sleep 1000 & wait; done';
    await startKept(home, 'clock', ['sh', '-c', script], '--ready', 'log:up');
    const { pid: supervisor } = supervisorOf(home);
    program.kill('SIGKILL');
    await program.end();
    await untilLeft(supervisor);
    expect(home.log('clock')).toBe('up\nending\n');
    expect(home.log('supervisor')).toContain(`its foreground (pid ${program.pid}) is gone`);
    expect(home.processes()).toEqual([]);
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: null, reason: null });
  });

  test('a second Ctrl-C ends its daemons without their grace, and says so', async ({ home }) => {
    const program = await serve(home);
    const script = '(trap "" TERM; exec sleep 1000) & trap "" TERM; echo up; while :; do sleep 1000 & wait; done';
    for (const name of ['one', 'two']) await startKept(home, name, ['sh', '-c', script], '--ready', 'log:up', '--grace', '1h');
    program.kill('SIGINT');
    // The last one first: the other has not been asked yet.
    await inPhase(home, 'two', 'stopping');
    program.kill('SIGINT');
    const end = await program.end();
    expect(end.exitCode).toBe(137);
    expect(end.stderr).toBe('daemonry: killed the supervisor, and kill what it has not yet stopped: one, two\n');
    expect(home.processes()).toEqual([]);
    expect([home.descriptor('one'), home.descriptor('two'), home.descriptor('supervisor')]).toEqual([undefined, undefined, undefined]);
  });
});

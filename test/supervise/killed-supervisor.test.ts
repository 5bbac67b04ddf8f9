import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect } from 'vitest';
import { snapshot } from '../support/folder-snapshot.js';
import { commandLineOf, environmentOf, hasExecuted, isAlive, processFacts, untilDead } from '../support/processes.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import {
  atOnce,
  endsAtLatch,
  inPhase,
  killNow,
  killSupervisor,
  nextRun,
  recordedRuns,
  startKept,
  statusOf,
  supervisorOf,
  takenOver,
  untilCleared,
  untilLeft,
} from './support/supervised.js';

const waitsWithDash = process.platform === 'linux' && existsSync('/bin/sh') && basename(realpathSync('/bin/sh')) === 'dash';

describe.concurrent('when the supervisor is killed with -9', () => {
  test('its daemons keep their pids, and their logs keep flowing', async ({ home }) => {
    const latch = home.latch('latch');
    const script = `echo up; while read -r _ <'${latch.path}'; do echo tick; done`;
    const { pid } = await startKept(home, 'clock', ['sh', '-c', script], '--ready', 'log:up');
    await killSupervisor(home);
    latch.open();
    await home.logSays('clock', 'tick\n');
    expect(isAlive(pid)).toBe(true);
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'running', phase: 'ready', pid });
  });

  test.skipIf(!waitsWithDash)('the shell that waits for the next run leaves with it (needs Linux, and dash for sh)', async ({ home }) => {
    await startKept(home, 'clock');
    const { pid } = supervisorOf(home);
    const waiting = await waitFor('a shell that waits', () => waitingShellOf(pid));
    await killSupervisor(home);
    await untilDead(waiting as number);
  });

  test.skipIf(!waitsWithDash)(
    'a run that a waiting shell became is as old as the run, not as the shell (needs Linux, and dash for sh)',
    async ({ home }) => {
      const before = await startKept(home, 'clock');
      const waiting = await waitFor('a shell that waits', () => waitingShellOf(supervisorOf(home).pid));
      const began = performance.now();
      await waitFor('it to have waited for a while', () => performance.now() - began >= 1_000);
      await killNow(before.pid);
      const after = await nextRun(home, 'clock', before);
      expect(after).toMatchObject({ pid: waiting, waitedMs: expect.any(Number) });
      const { uptimeMs } = (await home.cli(['list', '--json'])).json.daemons.find((one: { name: string }) => one.name === 'clock');
      const waited = after.waitedMs as number;
      expect(waited).toBeGreaterThanOrEqual(1_000);
      // By the kernel's clock, which counts in hundredths.
      expect(uptimeMs).toBeLessThan(performance.now() - began - 1_000 + 20);
    },
  );

  test('verbs that only look tell the truth, and bring none back', async ({ home }) => {
    const { pid } = await startKept(home, 'clock');
    await startKept(home, 'fallen');
    const killed = await killSupervisor(home);
    await killNow(home.descriptor('fallen').pid);
    const before = snapshot(home.path);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(0);
    // Nobody is there who would start it again.
    expect((await home.cli(['status', 'fallen', '--json'])).json).toMatchObject({ status: 'stale', pid: expect.any(Number) });
    expect(await statusOf(home, 'supervisor')).toMatchObject({ status: 'stale', pid: killed.pid });
    for (const args of [['list'], ['status'], ['logs', 'clock'], ['why', 'clock'], ['top', '--json'], ['wait', 'clock', '--for', 'ready']])
      expect([args, (await home.cli(args)).exitCode]).toEqual([args, 0]);
    expect(snapshot(home.path)).toEqual(before);
    expect(home.processes()).toMatchObject([{ pid }]);
  });

  for (const [verb, args] of Object.entries({
    'a start of a running one': ['start', 'clock'],
    'a start of another': ['start', 'other', '--', 'sleep', '1000'],
    'a stop of another': ['stop', 'other'],
    'a restart of another': ['restart', 'other'],
    'a reload of another': ['reload', 'other'],
  })) {
    test(`${verb} brings it back, and it takes over`, async ({ home }) => {
      await home.start('other', ['sh', '-c', 'trap : HUP; echo up; while :; do sleep 1000 & wait; done'], '--ready', 'log:up');
      const { pid, instanceId } = await startKept(home, 'clock');
      const killed = await killSupervisor(home);
      expect((await home.cli(args)).exitCode).toBe(0);
      const after = await takenOver(home, 'clock', killed);
      const { pid: supervisor, startToken, instanceId: supervisorInstance } = supervisorOf(home);
      expect(after).toMatchObject({ pid, instanceId, phase: 'ready' });
      expect(after.supervisedBy).toEqual({ pid: supervisor, startToken, instanceId: supervisorInstance });
      await killNow(pid);
      expect(await nextRun(home, 'clock', after)).toMatchObject({ supervisedBy: { pid: supervisor }, history: { restarts: 1 } });
    });
  }

  test('a restart of its own daemon keeps that one supervised', async ({ home }) => {
    const { pid } = await startKept(home, 'clock');
    const killed = await killSupervisor(home);
    const restarted = (await home.cli(['restart', 'clock', '--json'])).json;
    expect(restarted).toMatchObject({ outcome: 'started' });
    expect([isAlive(pid), isAlive(restarted.pid)]).toEqual([false, true]);
    expect(home.descriptor('clock').supervisedBy.instanceId).not.toBe(killed.instanceId);
    await killNow(restarted.pid);
    await nextRun(home, 'clock', restarted);
  });

  test('a stop of its own daemon stops that one for good', async ({ home }) => {
    const { pid } = await startKept(home, 'clock');
    await killSupervisor(home);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped' });
    expect(isAlive(pid)).toBe(false);
    // The next one finds nothing to do, and leaves.
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(home.descriptor('clock')).toBeUndefined();
    expect(home.processes()).toEqual([]);
  });

  test('the next one restarts with the environment of the first starter', async ({ home }) => {
    const args = ['start', 'clock', '--restart', 'always', '--json', '--env', 'GIVEN=1', '--', 'sleep', '1000'];
    const { pid } = (await home.cli(args, { env: { FIRST: 'of the first', LANG: 'C.UTF-8' } })).json;
    const before = environmentOf(pid);
    const killed = await killSupervisor(home);
    await home.cli(['start', 'other', '--restart', 'always', '--', 'sleep', '1000'], { env: { SECOND: 'of the second', LANG: 'C' } });
    const after = await nextRun(home, 'clock', await killedAfter(takenOver(home, 'clock', killed)));
    const { DAEMONRY_INSTANCE: _, DAEMONRY_SOCKET: __, ...kept } = before;
    expect(environmentOf(after.pid)).toEqual({ ...kept, DAEMONRY_INSTANCE: after.instanceId, DAEMONRY_SOCKET: after.socket });
    expect(kept).toMatchObject({ FIRST: 'of the first', GIVEN: '1', LANG: 'C.UTF-8' });
  });

  test('one that fell meanwhile is started again by the next one, and recorded once', async ({ home }) => {
    const { pid, instanceId } = await startKept(home, 'clock');
    await killSupervisor(home);
    await killNow(pid);
    await startKept(home, 'other');
    const after = await nextRun(home, 'clock', { instanceId });
    expect(after.history.restarts).toBe(1);
    // What it was started with went with it.
    await home.logSays('supervisor', 'clock was started with an environment that is lost: it will be restarted with mine\n');
    expect(await recordedRuns(home, 'clock', 1)).toMatchObject([{ instanceId, exitCode: null, signal: null, cause: 'unknown' }]);
  });

  test('the exit code of an adopted one is nobody’s to know: on-failure starts it again', async ({ home }) => {
    const latch = home.latch('latch');
    const started = await startKept(home, 'clock', endsAtLatch(latch, 0), '--restart', 'on-failure');
    const killed = await killSupervisor(home);
    await startKept(home, 'other');
    await takenOver(home, 'clock', killed);
    latch.open();
    await nextRun(home, 'clock', started);
    expect(await recordedRuns(home, 'clock', 1)).toMatchObject([{ cause: 'unknown', exitCode: null }]);
  });

  test('verbs at once bring back one, which takes over', async ({ home }) => {
    await startKept(home, 'clock');
    const killed = await killSupervisor(home);
    const verbs = [
      ['start', 'clock'],
      ['restart', 'clock'],
      ['start', 'b', '--restart', 'always', '--', 'sleep', '1000'],
      ['stop', 'c'],
    ];
    const ends = await Promise.all([...verbs, ...verbs].map((args) => home.cli(args)));
    expect(ends.map(({ exitCode, stderr }) => (exitCode === 0 ? 0 : stderr))).toEqual(Array(8).fill(0));
    const { pid } = supervisorOf(home);
    expect(pid).not.toBe(killed.pid);
    for (const name of ['clock', 'b']) expect((await takenOver(home, name, killed)).supervisedBy.pid).toBe(pid);
    const expected = ['b', 'clock', 'supervisor'].map((name) => home.descriptor(name).pid);
    expect(
      home
        .processes()
        .map((seen) => seen.pid)
        .sort(),
    ).toEqual(expected.sort());
  });

  test('in a start: the next verb leaves no daemon half started', async ({ home }) => {
    const latch = home.latch('latch');
    const script = `read -r _ <'${latch.path}'; echo >&4; exec sleep 1000`;
    const start = home.spawnCli(['start', 'clock', '--restart', 'always', '--ready', 'notify', '--json', '--', 'sh', '-c', script]);
    await waitFor('the command to be executed', () => hasExecuted(home.descriptor('clock')?.pid));
    const { pid } = home.descriptor('clock');
    const killed = await killSupervisor(home);
    // It asks the next one for the same, and that one waits for the same process.
    await takenOver(home, 'clock', killed);
    latch.open();
    expect((await start.end()).json).toMatchObject({ pid, status: 'running' });
    expect(home.descriptor('clock')).toMatchObject({ pid, phase: 'ready', supervisedBy: { pid: supervisorOf(home).pid } });
  });

  /** Its supervisor and its starter die while it starts; it becomes ready when the latch is opened. */
  async function startHalf(home: TemporaryHome, name: string) {
    const latch = home.latch(name);
    const script = `read -r _ <'${latch.path}'; echo >&4; exec sleep 1000`;
    const options = ['--restart', 'always', '--ready', 'notify', '--ready-timeout', '50s'];
    const start = home.spawnCli(['start', name, ...options, '--', 'sh', '-c', script]);
    await waitFor('the command to be executed', () => hasExecuted(home.descriptor(name)?.pid));
    start.kill('SIGSTOP');
    const killed = await killSupervisor(home);
    start.kill('SIGKILL');
    await start.end();
    return { latch, killed };
  }

  test('the next one stays for as long as it waits for one that is still starting', async ({ home }) => {
    const { latch, killed } = await startHalf(home, 'clock');
    expect((await home.cli(['stop', 'nobody'])).exitCode).toBe(0);
    const { instanceId } = await takenOver(home, 'clock', killed);
    // Longer than another stays that was started later and has nothing to do.
    const elsewhere = home.file('elsewhere');
    await home.start('clock', ['sleep', '1000'], '--home', elsewhere, '--restart', 'always');
    const idle = JSON.parse(readFileSync(`${elsewhere}/supervisor/daemon.json`, 'utf8'));
    await home.cli(['stop', 'clock', '--home', elsewhere]);
    await untilLeft(idle.pid);
    expect(isAlive(supervisorOf(home)?.pid ?? 0)).toBe(true);
    latch.open();
    const ready = await inPhase(home, 'clock', 'ready');
    expect(ready.instanceId).toBe(instanceId);
    await killNow(ready.pid);
    latch.open();
    await nextRun(home, 'clock', ready);
  });

  test('the next one keeps the others while it waits for one that is still starting', async ({ home }) => {
    const other = await startKept(home, 'other');
    const { latch, killed } = await startHalf(home, 'clock');
    expect((await home.cli(['stop', 'nobody'])).exitCode).toBe(0);
    await takenOver(home, 'clock', killed);
    await takenOver(home, 'other', killed);
    await killNow(other.pid);
    await nextRun(home, 'other', other);
    expect(home.descriptor('clock').phase).toBe('starting');
    latch.open();
    await inPhase(home, 'clock', 'ready');
  });

  async function killedAfter(taken: ReturnType<typeof takenOver>) {
    const descriptor = await taken;
    await killNow(descriptor.pid);
    return descriptor;
  }
});

describe.concurrent('a supervisor', () => {
  test('leaves by itself when nothing is left to keep, and a start just then still works', async ({ home }) => {
    await startKept(home, 'clock');
    for (let round = 0; round < 3; round++) {
      const { pid } = supervisorOf(home);
      await home.stop('clock');
      // In each round at another moment of its leaving.
      if (round === 0) await untilLeft(pid);
      if (round === 1)
        await waitFor(
          'its socket to be withdrawn',
          () => !isAlive(pid) || home.filesOf('supervisor').every((file) => !file.endsWith('.sock')),
        );
      expect((await home.cli(['start', 'clock', '--json'])).json).toMatchObject({ outcome: 'started' });
      expect(home.descriptor('clock').supervisedBy.pid).toBe(supervisorOf(home).pid);
    }
    const before = home.descriptor('clock');
    await killNow(before.pid);
    await nextRun(home, 'clock', before);
  });

  test('that is stopped leaves its daemons running, and the next start takes them over', async ({ home }) => {
    const { pid } = await startKept(home, 'clock');
    const first = supervisorOf(home);
    expect((await home.cli(['stop', 'supervisor', '--json'])).json).toMatchObject({ outcome: 'stopped', status: 'stopped' });
    expect([isAlive(first.pid), isAlive(pid)]).toEqual([false, true]);
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'running', phase: 'ready', pid });
    expect(await statusOf(home, 'supervisor')).toMatchObject({ status: 'stopped' });
    await startKept(home, 'other', ['sleep', '1000'], ...atOnce);
    const adopted = await takenOver(home, 'clock', first);
    await killNow(pid);
    await nextRun(home, 'clock', adopted);
  });

  test('that is restarted keeps its daemons, in the hands of the new one', async ({ home }) => {
    const { pid } = await startKept(home, 'clock');
    const first = supervisorOf(home);
    expect((await home.cli(['restart', 'supervisor', '--json'])).json).toMatchObject({ outcome: 'started' });
    expect(await takenOver(home, 'clock', first)).toMatchObject({ pid, supervisedBy: { pid: supervisorOf(home).pid } });
  });

  test('is looked at as any daemon is, and its name is nobody else’s', async ({ home }) => {
    await startKept(home, 'clock');
    const { pid } = supervisorOf(home);
    expect(await statusOf(home, 'supervisor')).toMatchObject({ name: 'supervisor', status: 'running', phase: 'ready', pid });
    await killNow(home.descriptor('clock').pid);
    await home.logSays('supervisor', 'clock started again');
    expect((await home.cli(['logs', 'supervisor'])).stdout).toMatch(/^\S+Z clock started again \(pid \d+\)$/m);
    const why = await home.cli(['why', 'supervisor']);
    expect(why).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^supervisor is running \(pid \d+\)\nno run of it has ended yet\n$/),
    });
    for (const name of ['supervisor', 'Supervisor']) {
      const end = await home.cli(['start', name, '--json', '--', 'sleep', '1000']);
      expect([end.exitCode, end.json.error.code]).toEqual([2, 'invalid-name']);
    }
    expect((await home.cli(['run', 'supervisor', '--', 'sleep', '1000'])).exitCode).toBe(2);
  });

  test('two of which are wanted at once is one', async ({ home }) => {
    const names = ['a', 'b', 'c', 'd'];
    const started = await Promise.all(names.map((name) => startKept(home, name)));
    const { pid } = supervisorOf(home);
    expect(names.map((name) => home.descriptor(name).supervisedBy.pid)).toEqual(names.map(() => pid));
    expect(
      home
        .processes()
        .map((seen) => seen.pid)
        .sort(),
    ).toEqual([pid, ...started.map((one) => one.pid)].sort());
  });

  test('makes one daemon of eight starts, and each of them learns its pid', async ({ home }) => {
    const ends = await Promise.all(
      Array.from({ length: 8 }, () => home.cli(['start', 'clock', '--restart', 'always', '--json', '--', 'sleep', '1000'])),
    );
    expect(ends.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(Array(8).fill([0, '']));
    const { pid } = home.descriptor('clock');
    expect(ends.map((end) => end.json.pid)).toEqual(Array(8).fill(pid));
    expect(ends.filter((end) => end.json.outcome === 'started')).toHaveLength(1);
    expect(home.processes()).toHaveLength(2);
    await home.stop('clock');
    await untilCleared(home, 'clock');
  });
});

/** The child of a supervisor that was told nothing yet. */
function waitingShellOf(supervisor: number): number | undefined {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && processFacts(pid)?.parent === supervisor);
  return children.find((pid) => commandLineOf(pid).endsWith('\0-s\0daemonry-gate\0'));
}

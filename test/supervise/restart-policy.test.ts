import { describe, expect } from 'vitest';
import { isAlive } from '../support/processes.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import {
  atOnce,
  endsAtLatch,
  inPhase,
  killNow,
  killSupervisor,
  longBackoff,
  nextRun,
  recordedRuns,
  runsOf,
  startKept,
  statusOf,
  supervisorOf,
  untilCleared,
  untilLeft,
} from './support/supervised.js';

/** Kills it, and once more when it is back: from then on it waits for its second restart in a row. */
async function untilBackoff(home: TemporaryHome, name: string): Promise<void> {
  const first = await startKept(home, name, ['sleep', '1000'], ...longBackoff);
  await killNow(first.pid);
  const second = await nextRun(home, name, first);
  await killNow(second.pid);
  await inPhase(home, name, 'backoff');
}

/** A daemon that has ended three times, and is not started again. */
async function untilCrashLoop(home: TemporaryHome): Promise<void> {
  const latch = home.latch('latch');
  const options = ['--restart-delay', '0s', '--restart-limit', '2', '--restart-window', '1h', '--ready', 'log:up'];
  await startKept(home, 'clock', endsAtLatch(latch, 9), ...options);
  for (let runs = 1; runs <= 3; runs++) {
    latch.open();
    await recordedRuns(home, 'clock', runs);
    if (runs < 3) await inPhase(home, 'clock', 'ready');
  }
  await inPhase(home, 'clock', 'failed');
}

describe.concurrent('a daemon with --restart', () => {
  test('always: comes back after kill -9 with another pid and instance', async ({ home }) => {
    const before = await startKept(home, 'clock');
    await killNow(before.pid);
    const after = await nextRun(home, 'clock', before);
    expect([after.pid === before.pid, isAlive(after.pid)]).toEqual([false, true]);
    const { pid, startToken, instanceId } = supervisorOf(home);
    expect(after.supervisedBy).toEqual({ pid, startToken, instanceId });
    expect(await statusOf(home, 'clock')).toMatchObject({
      status: 'running',
      phase: 'ready',
      pid: after.pid,
      instanceId: after.instanceId,
    });
    expect(home.processes()).toHaveLength(2);
  });

  test('on-failure: comes back after kill -9, and after an exit code that is no success', async ({ home }) => {
    const latch = home.latch('latch');
    const command = endsAtLatch(latch, 3);
    const first = await startKept(home, 'clock', command, '--restart', 'on-failure', ...atOnce);
    await killNow(first.pid);
    const second = await nextRun(home, 'clock', first);
    latch.open();
    await nextRun(home, 'clock', second);
    expect(await recordedRuns(home, 'clock', 2)).toMatchObject([
      { cause: 'crash', signal: 'SIGKILL', exitCode: null },
      { cause: 'crash', signal: null, exitCode: 3 },
    ]);
  });

  test('on-failure: stays stopped after exit code 0', async ({ home }) => {
    const latch = home.latch('latch');
    const { instanceId } = await startKept(home, 'clock', endsAtLatch(latch, 0), '--restart', 'on-failure');
    latch.open();
    await untilCleared(home, 'clock');
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end.exitCode).toBe(3);
    expect(end.json).toMatchObject({ status: 'stopped', phase: null, pid: null, reason: null });
    expect(runsOf(home, 'clock')).toMatchObject([{ instanceId, cause: 'exit', exitCode: 0, signal: null }]);
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(home.processes()).toEqual([]);
  });

  test('always: comes back after exit code 0, too', async ({ home }) => {
    const latch = home.latch('latch');
    const before = await startKept(home, 'clock', endsAtLatch(latch, 0));
    latch.open();
    await nextRun(home, 'clock', before);
    expect(await recordedRuns(home, 'clock', 1)).toMatchObject([{ cause: 'exit', exitCode: 0 }]);
  });

  test('on-failure: takes --success-codes for no failure, and exit code 0 for one where it is not among them', async ({ home }) => {
    const latch = home.latch('latch');
    const options = ['--restart', 'on-failure', '--success-codes', '3,4'];
    const zero = await startKept(home, 'zero', endsAtLatch(latch, 0), ...options);
    latch.open();
    await nextRun(home, 'zero', zero);
    await home.stop('zero');
    await startKept(home, 'four', endsAtLatch(latch, 4), ...options);
    latch.open();
    await untilCleared(home, 'four');
    expect(runsOf(home, 'four')).toMatchObject([{ cause: 'exit', exitCode: 4 }]);
  });

  test('never: has no supervisor, and stays where it fell', async ({ home }) => {
    const { pid } = await startKept(home, 'clock', ['sleep', '1000'], '--restart', 'never');
    expect(home.descriptor('clock').supervisedBy).toBeNull();
    await killNow(pid);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(1);
    expect(home.descriptor('supervisor')).toBeUndefined();
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('between two runs', () => {
  test('a daemon is stopped, in the phase backoff, with no pid to show', async ({ home }) => {
    await untilBackoff(home, 'clock');
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end.exitCode).toBe(3);
    expect(end.json).toMatchObject({ status: 'stopped', phase: 'backoff', pid: null, socket: null, reason: 'awaiting-restart' });
    const list = (await home.cli(['list', '--json'])).json.daemons.find(({ name }: { name: string }) => name === 'clock');
    expect(list).toMatchObject({ status: 'stopped', phase: 'backoff', pid: null, restarts: 2 });
    expect((await home.cli(['list'])).stdout).toMatch(/^clock +stopped \(backoff\) +- +- +2 /m);
  });

  test('a stop is the end of it: nothing starts it again', async ({ home }) => {
    await untilBackoff(home, 'clock');
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'already-stopped', status: 'stopped' });
    expect(home.descriptor('clock')).toBeUndefined();
    // Who waits for an hour does not notice, and is asked to leave.
    expect((await home.cli(['stop', 'supervisor', '--json'])).json).toMatchObject({ outcome: 'stopped' });
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: null });
    expect(home.processes()).toEqual([]);
  });

  test('a stop is the end of it also for who wakes up then', async ({ home }) => {
    const first = await startKept(home, 'clock', ['sleep', '1000'], '--restart-delay', '5s', '--restart-max-delay', '5s');
    await killNow(first.pid);
    await killNow((await nextRun(home, 'clock', first)).pid);
    await inPhase(home, 'clock', 'backoff');
    const { pid } = supervisorOf(home);
    await home.stop('clock');
    // When its time has come there is nothing to start, and then nothing to keep.
    await untilLeft(pid);
    expect(home.descriptor('clock')).toBeUndefined();
    expect(home.processes()).toEqual([]);
  });

  test('a stop is never seen as stale, however long it takes after the end of its leader', async ({ home }) => {
    // The leader ends at once, and leaves one in its group that takes no notice, for as long as the test likes.
    const script = '(trap "" TERM; exec sleep 1000) & echo "child $!"; trap "exit 0" TERM; while :; do sleep 1000 & wait; done';
    await startKept(home, 'clock', ['sh', '-c', script], '--ready', 'log:^child', '--grace', '1m');
    const child = Number(/child (\d+)/.exec(home.log('clock'))?.[1]);
    const clock = home.sleeper('clock');
    const seen = new Set<string>();
    const look = async () => {
      const { status, reason } = await clock.status();
      seen.add(`${status}, ${reason}`);
      await new Promise(setImmediate);
    };
    await look();
    const stop = home.spawnCli(['stop', 'clock', '--json']);
    while (!stop.ended && !seen.has('stopped, being-stopped')) await look();
    process.kill(child, 'SIGKILL');
    while (!stop.ended) await look();
    expect((await stop.end()).json).toMatchObject({ outcome: 'stopped' });
    expect([...seen].sort()).toEqual(expect.arrayContaining(['running, alive', 'stopped, being-stopped']));
    expect([...seen].filter((one) => one.startsWith('stale'))).toEqual([]);
  });

  test('a start does not wait for the restart, and counts anew', async ({ home }) => {
    await untilBackoff(home, 'clock');
    const end = await home.cli(['start', 'clock', '--json']);
    expect(end.json).toMatchObject({ outcome: 'started', status: 'running' });
    expect(home.descriptor('clock')).toMatchObject({ pid: end.json.pid, phase: 'ready', history: { restarts: 0, streak: 0 } });
    // One keeper is left: its next end is followed by one run.
    await killNow(end.json.pid);
    const again = await nextRun(home, 'clock', end.json);
    expect(home.processes().filter(({ instanceId }) => instanceId !== supervisorOf(home).instanceId)).toMatchObject([{ pid: again.pid }]);
  });

  test('a restart starts it at once, and counts anew', async ({ home }) => {
    await untilBackoff(home, 'clock');
    const end = await home.cli(['restart', 'clock', '--json']);
    expect(end.json).toMatchObject({ outcome: 'started', pid: home.descriptor('clock').pid });
    expect(home.descriptor('clock').history).toMatchObject({ restarts: 0, streak: 0 });
  });

  test('a supervisor that is killed leaves it to the next one, which remembers its end once', async ({ home }) => {
    await untilBackoff(home, 'clock');
    const before = home.descriptor('clock');
    const killed = await killSupervisor(home);
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: 'backoff', reason: 'supervisor-gone' });
    const told = /^clock is stopped \(supervisor-gone\): its supervisor is gone, [^\n]*daemonry start clock[^\n]*\n/;
    for (const verb of ['status', 'why']) expect((await home.cli([verb, 'clock'])).stdout).toMatch(told);
    expect((await home.cli(['list'])).stdout).toMatch(/^clock +stopped \(backoff, no supervisor\) +- /m);
    await startKept(home, 'other');
    const after = await waitFor('another supervisor', () => {
      const descriptor = home.descriptor('clock');
      return descriptor?.supervisedBy.instanceId !== killed.instanceId && descriptor;
    });
    expect(after).toMatchObject({ instanceId: before.instanceId, phase: 'backoff', history: before.history });
    expect((await home.cli(['restart', 'clock', '--json'])).json).toMatchObject({ outcome: 'started' });
    const runs = runsOf(home, 'clock').map(({ instanceId }) => instanceId);
    expect(runs).toEqual([...new Set(runs)]);
    expect(runs).toHaveLength(2);
  });
});

describe.concurrent('a crash loop', () => {
  test('is broken: the daemon is stopped, in the phase failed, and says why', async ({ home }) => {
    await untilCrashLoop(home);
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end.exitCode).toBe(3);
    expect(end.json).toMatchObject({ status: 'stopped', phase: 'failed', pid: null, reason: 'crash-loop' });
    expect(runsOf(home, 'clock').map(({ cause }) => cause)).toEqual(['crash', 'crash', 'crash-loop']);
    const why = (await home.cli(['why', 'clock'])).stdout;
    expect(why).toMatch(/crashed once too often \(exit code 9\).*restarted 2 times within 1h 0m\n/);
    expect(why).toContain('  | going\n');
  });

  test('stays broken when its supervisor is gone, and when there is a new one', async ({ home }) => {
    await untilCrashLoop(home);
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: 'failed' });
    await startKept(home, 'other');
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: 'failed' });
    expect(home.descriptor('clock')).toMatchObject({ phase: 'failed' });
  });

  test('is forgotten by an explicit start', async ({ home }) => {
    await untilCrashLoop(home);
    const started = (await home.cli(['start', 'clock', '--json'])).json;
    expect(started).toMatchObject({ outcome: 'started', status: 'running' });
    expect(home.descriptor('clock').history).toMatchObject({ restarts: 0, streak: 0, recentMs: [] });
    await killNow(started.pid);
    await nextRun(home, 'clock', started);
  });

  test('is forgotten by a stop', async ({ home }) => {
    await untilCrashLoop(home);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'already-stopped' });
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: null, reason: null });
    expect(runsOf(home, 'clock')).toHaveLength(3);
  });
});

describe.concurrent('a stop of a supervised daemon', () => {
  test('is no end to restart it after', async ({ home }) => {
    const { pid, instanceId } = await startKept(home, 'clock');
    const { pid: supervisor } = supervisorOf(home);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped', status: 'stopped' });
    expect(isAlive(pid)).toBe(false);
    // It has seen the end by then: with nothing to keep it leaves.
    await untilLeft(supervisor);
    expect(await statusOf(home, 'clock')).toMatchObject({ status: 'stopped', phase: null });
    expect(runsOf(home, 'clock')).toMatchObject([{ instanceId, cause: 'stop' }]);
    expect(home.processes()).toEqual([]);
  });

  test('while it crashes again and again leaves none, whichever came first', async ({ home }) => {
    await startKept(home, 'other', ['sleep', '0.3'], ...atOnce);
    await recordedRuns(home, 'other', 2);
    for (let round = 0; round < 3; round++) {
      expect((await home.cli(['stop', 'other', '--json'])).exitCode).toBe(0);
      expect(home.descriptor('other')).toBeUndefined();
      expect((await home.cli(['start', 'other', '--json'])).exitCode).toBe(0);
    }
    expect((await home.cli(['stop', 'other', '--json'])).exitCode).toBe(0);
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(home.descriptor('other')).toBeUndefined();
    expect(home.processes()).toEqual([]);
  });

  test('--all stops them with the others, and their supervisor leaves by itself', async ({ home }) => {
    await Promise.all([startKept(home, 'one'), startKept(home, 'two'), home.startSleeper('three')]);
    const { pid } = supervisorOf(home);
    const end = await home.cli(['stop', '--all', '--json']);
    expect(end.exitCode).toBe(0);
    const outcomes = end.json.results.map(({ name, outcome }: Record<string, string>) => [name, outcome]);
    expect(outcomes.sort()).toEqual(['one', 'three', 'two'].map((name) => [name, 'stopped']));
    await untilLeft(pid);
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('a restart of a supervised daemon', () => {
  test('keeps it supervised, with a fresh count', async ({ home }) => {
    const first = await startKept(home, 'clock', ['sleep', '1000'], ...atOnce);
    await killNow(first.pid);
    const second = await nextRun(home, 'clock', first);
    expect(second.history.restarts).toBe(1);
    const end = await home.cli(['restart', 'clock', '--json']);
    expect(end.json).toMatchObject({ outcome: 'started', status: 'running' });
    expect(home.descriptor('clock')).toMatchObject({ supervisedBy: { pid: supervisorOf(home).pid }, history: { restarts: 0 } });
    await killNow(end.json.pid);
    const fourth = await nextRun(home, 'clock', end.json);
    expect(fourth.history.restarts).toBe(1);
    expect((await recordedRuns(home, 'clock', 3)).map(({ cause }) => cause)).toEqual(['crash', 'stop', 'crash']);
  });

  test('list counts the restarts of its supervisor only', async ({ home }) => {
    let run: { pid: number; instanceId: string } = await startKept(home, 'clock', ['sleep', '1000'], ...atOnce);
    for (let count = 1; count <= 3; count++) {
      await killNow(run.pid);
      run = await nextRun(home, 'clock', run);
      const { daemons } = (await home.cli(['list', '--json'])).json;
      expect(daemons.find(({ name }: { name: string }) => name === 'clock')).toMatchObject({ restarts: count, status: 'running' });
    }
  });
});

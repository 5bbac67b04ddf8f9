import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { hasExecuted, isAlive, processFacts } from '../support/processes.js';
import { chooseSeed, seededRandom } from '../support/random.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

/** Waits until somebody queues for the daemon's lock in the kernel. */
async function untilQueued(home: TemporaryHome, name: string): Promise<void> {
  const lock = home.at(name, 'lock');
  await waitFor('somebody to wait for the lock', () => readdirSync('/proc').some((pid) => waitsForLock(pid, lock)));
}

/** Whether this is a helper that sleeps on the lock. In a container, /proc/locks lists none that a helper took which has ended since. */
function waitsForLock(pid: string, lock: string): boolean {
  try {
    const isHelper =
      readlinkSync(`/proc/${pid}/fd/3`) === lock && /flock\0(-\S+\0)*3\0$/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
    return isHelper && processFacts(Number(pid))?.state === 'S';
  } catch {
    // No process, or one that ends just now.
    return false;
  }
}

/** Starts a daemon that becomes ready when the latch is opened, and returns once it runs. */
async function startSlowly(home: TemporaryHome) {
  const latch = home.latch('latch');
  const script = `read -r _ <${latch.path}; echo >&4; exec sleep 1000`;
  const start = home.spawnCli(['start', 'clock', '--ready', 'notify', '--json', '--', 'sh', '-c', script]);
  await waitFor('the command to be executed', () => hasExecuted(home.descriptor('clock')?.pid));
  return { latch, start };
}

describe('many at once', () => {
  test('32 starters make one daemon, and each of them learns its pid (F11, F12)', async ({ home }) => {
    const ends = await Promise.all(Array.from({ length: 32 }, () => home.cli(['start', 'clock', '--json', '--', 'sleep', '1000'])));
    const answers = ends.map((end) => end.json);
    expect(ends.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual(Array.from({ length: 32 }, () => [0, '']));
    expect(answers.filter(({ outcome }) => outcome === 'started')).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === 'already-running')).toHaveLength(31);
    const { pid, instanceId } = home.descriptor('clock');
    expect(new Set(answers.map((answer) => answer.pid))).toEqual(new Set([pid]));
    expect(home.processes()).toMatchObject([{ pid, instanceId }]);
  });

  test('starters that spell the name in two ways make one daemon in one folder (F11)', async ({ home }) => {
    const names = ['clock', 'Clock', 'CLOCK', 'clock', 'Clock', 'CLOCK'];
    const answers = (await Promise.all(names.map((name) => home.cli(['start', name, '--json', '--', 'sleep', '1000'])))).map(
      (end) => end.json,
    );
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual([...Array(5).fill('already-running'), 'started']);
    expect(new Set(answers.map(({ pid, name, descriptor }) => [pid, name, descriptor].join())).size).toBe(1);
    expect(readdirSync(home.path).filter((file) => !file.startsWith('.'))).toHaveLength(1);
    expect(home.processes()).toHaveLength(1);
  });

  test('stops of one daemon all succeed, and one of them did it', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const ends = await Promise.all(Array.from({ length: 6 }, () => home.cli(['stop', 'clock', '--json'])));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual(Array(6).fill(0));
    expect(ends.map((end) => end.json.outcome).sort()).toEqual([...Array(5).fill('already-stopped'), 'stopped']);
    expect(isAlive(pid)).toBe(false);
  });

  test('a storm of starts, stops and restarts leaves one daemon on record, or none', async ({ home }) => {
    const seed = chooseSeed();
    const random = seededRandom(seed);
    await home.startSleeper('clock');
    const commands = [
      ['start', 'clock', '--json', '--', 'sleep', '1000'],
      ['stop', 'clock', '--json'],
      ['restart', 'clock', '--json'],
      ['status', 'clock', '--json'],
    ];
    const chosen = Array.from({ length: 20 }, () => commands[Math.floor(random() * commands.length)] as string[]);
    const ends = await Promise.all(chosen.map((args) => home.cli(args)));
    for (const [index, end] of ends.entries()) {
      const verb = chosen[index]?.[0];
      const allowed = verb === 'status' ? [0, 1, 3] : [0];
      expect(allowed, `seed ${seed}: ${verb} said ${end.stdout}${end.stderr}`).toContain(end.exitCode);
    }
    const descriptor = home.descriptor('clock');
    const living = home.processes().map(({ pid, instanceId }) => ({ pid, instanceId }));
    expect(living, `seed ${seed}`).toEqual(descriptor ? [{ pid: descriptor.pid, instanceId: descriptor.instanceId }] : []);
    const { status, phase } = (await home.cli(['status', 'clock', '--json'])).json;
    expect([status, phase], `seed ${seed}`).toEqual(descriptor ? ['running', 'ready'] : ['stopped', null]);
  });
});

describe.concurrent('while a start is under way', () => {
  test('a stop waits for it, then stops what it started (F21)', async ({ home }) => {
    const { latch, start } = await startSlowly(home);
    const { pid } = home.descriptor('clock');
    const stop = home.spawnCli(['stop', 'clock', '--json']);
    await untilQueued(home, 'clock');
    expect([stop.ended, isAlive(pid)]).toEqual([false, true]);
    latch.open();
    expect((await start.end()).json).toMatchObject({ outcome: 'started', pid });
    expect((await stop.end()).json).toMatchObject({ outcome: 'stopped' });
    expect(home.processes()).toEqual([]);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('a second start waits for it, and reports the same daemon', async ({ home }) => {
    const { latch, start } = await startSlowly(home);
    const second = home.spawnCli(['start', 'clock', '--json', '--', 'sleep', '999']);
    await untilQueued(home, 'clock');
    latch.open();
    const { pid } = (await start.end()).json;
    expect((await second.end()).json).toMatchObject({ outcome: 'already-running', pid });
  });

  test('a restart waits for it, then replaces what it started (F22)', async ({ home }) => {
    const { latch, start } = await startSlowly(home);
    const restart = home.spawnCli(['restart', 'clock', '--json']);
    await untilQueued(home, 'clock');
    latch.open();
    const { pid } = (await start.end()).json;
    // The new instance waits for the latch, too.
    await waitFor('the new instance', () => {
      // Read once: between two records there is none.
      const seen = home.descriptor('clock')?.pid;
      return seen !== undefined && seen !== pid && hasExecuted(seen);
    });
    latch.open();
    const restarted = (await restart.end()).json;
    expect(restarted.outcome).toBe('started');
    expect([isAlive(pid), isAlive(restarted.pid)]).toEqual([false, true]);
  });

  test('an interrupted one ends what it had started', async ({ home }) => {
    const { start } = await startSlowly(home);
    const { pid } = home.descriptor('clock');
    start.kill('SIGINT');
    await start.end();
    // Whether it undoes the start itself or dies of the signal: the daemon is on record, and a stop finds it.
    await home.stop('clock');
    expect(isAlive(pid)).toBe(false);
    expect(home.processes()).toEqual([]);
  });

  test('its lock is free the moment its holder is killed (F14)', async ({ home }) => {
    const { start } = await startSlowly(home);
    const stop = home.spawnCli(['stop', 'clock', '--json']);
    await untilQueued(home, 'clock');
    start.kill('SIGKILL');
    expect((await stop.end()).json.outcome).toBe('stopped');
    expect(home.processes()).toEqual([]);
    await start.end();
  });
});

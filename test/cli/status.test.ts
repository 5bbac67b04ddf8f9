import { existsSync, statSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { findTool } from '../../src/adapters/posix/find-executable.js';
import { snapshot } from '../support/folder-snapshot.js';
import { untilDead } from '../support/processes.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

describe.concurrent('status of one daemon', () => {
  test('running: exit 0 and exactly the agreed JSON', async ({ home }) => {
    const { pid, socket, descriptor, instanceId } = await home.startSleeper('clock');
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json).toEqual({
      schema: 1,
      name: 'clock',
      status: 'running',
      phase: 'ready',
      pid,
      socket,
      descriptor,
      instanceId,
      reason: null,
      hint: null,
    });
  });

  test('never known: stopped, exit 3, the path of a descriptor that is not there, and nothing written', async ({ home }) => {
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end).toMatchObject({ exitCode: 3, stderr: '' });
    expect(end.json).toEqual({
      schema: 1,
      name: 'clock',
      status: 'stopped',
      phase: null,
      pid: null,
      socket: null,
      descriptor: home.at('clock', 'daemon.json'),
      instanceId: null,
      reason: null,
      hint: null,
    });
    expect(existsSync(home.path)).toBe(false);
  });

  test('stopped: exit 3 and one line', async ({ home }) => {
    await home.startSleeper('clock');
    await home.stop('clock');
    expect(await home.cli(['status', 'clock'])).toMatchObject({ exitCode: 3, stdout: 'clock is stopped\n', stderr: '' });
  });

  test('stale: exit 1, with the reason and what to do', async ({ home }) => {
    const { pid, socket, descriptor, instanceId } = await home.startSleeper('clock');
    process.kill(pid, 'SIGKILL');
    await untilDead(pid);
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json).toEqual({
      schema: 1,
      name: 'clock',
      status: 'stale',
      phase: null,
      pid,
      socket,
      descriptor,
      instanceId,
      reason: expect.stringMatching(/^process-(gone|is-a-zombie)$/),
      hint: expect.stringMatching(/daemonry start clock.*daemonry stop clock/),
    });
    expect((await home.cli(['status', 'clock'])).stdout).toMatch(/^clock is stale \(process-.*\): .*daemonry start clock.*\n$/);
  });

  test('unknown: exit 4, with the reason and what to do', async ({ home }) => {
    home.forge('clock', { host: 'elsewhere' });
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end.exitCode).toBe(4);
    expect(end.json).toMatchObject({ status: 'unknown', phase: null, pid: 999_999, reason: 'other-host' });
    expect(end.json.hint).toContain('daemonry start clock --force');
    expect((await home.cli(['status', 'clock'])).stdout).toMatch(/^clock is unknown \(other-host\): .*\n$/);
  });

  test('usage: exit 2', async ({ home }) => {
    expect(await home.cli(['status', 'a', 'b'])).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe.concurrent('status and list', () => {
  test('of an empty home are an empty list, exit 0, and make no home', async ({ home }) => {
    for (const verb of ['status', 'list']) {
      const end = await home.cli([verb, '--json']);
      expect(end.exitCode).toBe(0);
      expect(end.json).toEqual({ schema: 1, daemons: [] });
      expect(await home.cli([verb])).toMatchObject({ exitCode: 0, stdout: 'no daemons here\n', stderr: '' });
    }
    expect(existsSync(home.path)).toBe(false);
  });

  test('describe every daemon in any state, with the keys of status NAME first, and exit 0', async ({ home }) => {
    const running = await home.start('b', ['sleep', '1000'], '--daemon-version', '3.1');
    home.forge('a', { pid: process.pid });
    home.forge('c', { host: 'elsewhere' });
    await home.startSleeper('d');
    await home.stop('d');
    const one = (await home.cli(['status', 'b', '--json'])).json;
    const end = await home.cli(['list', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    const { schema, daemons } = end.json;
    expect(schema).toBe(1);
    const states = daemons.map(({ name, status, phase, reason }: Record<string, string>) => [name, status, phase, reason]);
    expect(states).toEqual([
      ['a', 'stale', null, 'pid-reused'],
      ['b', 'running', 'ready', null],
      ['c', 'unknown', null, 'other-host'],
      ['d', 'stopped', null, null],
    ]);
    const { schema: _, ...keysOfStatus } = one;
    expect(daemons[1]).toEqual({
      ...keysOfStatus,
      uptimeMs: expect.any(Number),
      restarts: 0,
      cpuPercent: expect.any(Number),
      memoryBytes: expect.any(Number),
      processes: 1,
      version: '3.1',
      startedAt: home.descriptor('b').startedAt,
      log: running.log,
      command: ['sleep', '1000'],
    });
    expect(daemons[3]).toMatchObject({ pid: null, uptimeMs: null, cpuPercent: null, memoryBytes: null, processes: 0, restarts: 0 });
    expect((await home.cli(['status', '--json'])).json.daemons.map(stable)).toEqual(daemons.map(stable));
  });

  test('show people a table, and a line for each', async ({ home }) => {
    const { pid } = await home.startSleeper('web');
    home.forge('lost-one', { pid: process.pid });
    const table = (await home.cli(['list'])).stdout.split('\n');
    expect(table[0]?.split(/\s{2,}/)).toEqual(['NAME', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'CPU', 'MEMORY']);
    expect(table[1]).toMatch(/^lost-one {2}stale\s+- /);
    expect(table[2]).toMatch(new RegExp(`^web {7}running {2}${pid} +\\d+m?s +0 +[\\d.]+% +[\\d.]+[KM]B$`));
    expect((await home.cli(['status'])).stdout).toMatch(
      new RegExp(`^lost-one is stale \\(pid-reused\\): .*\nweb is running \\(pid ${pid}\\)\n$`),
    );
  });

  test('leave out what is no daemon', async ({ home }) => {
    await home.startSleeper('clock');
    home.makeFolder('empty');
    home.makeFolder('.hidden');
    home.makeFolder('not a name');
    const names = (await home.cli(['list', '--json'])).json.daemons.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['clock']);
  });

  test('change nothing, even where there is much to mend', async ({ home }) => {
    await home.startSleeper('running');
    home.forge('stale', { pid: process.pid, notifyFile: home.at('stale', 'notify-1'), socket: home.at('stale', 's') });
    home.forge('unknown', { host: 'elsewhere' });
    home.writeRaw('corrupt', '{');
    const before = snapshot(home.path);
    for (const name of ['running', 'stale', 'unknown', 'corrupt']) await home.cli(['status', name]);
    await home.cli(['status']);
    await home.cli(['list']);
    expect(snapshot(home.path)).toEqual(before);
  });

  test.skipIf(!flock)('answer while somebody holds the lock (needs flock)', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const holder = await holdLock(home, 'clock');
    expect(await home.cli(['status', 'clock'])).toMatchObject({ exitCode: 0, stdout: `clock is running (pid ${pid})\n` });
    expect((await home.cli(['list', '--json'])).exitCode).toBe(0);
    holder.kill('SIGKILL');
    await holder.end();
  });
});

const flock = findTool('flock', process.env.PATH);

/** Takes the lifecycle lock from outside, as any other process could. */
async function holdLock(home: TemporaryHome, name: string) {
  const lock = home.at(name, 'lock');
  const holder = home.spawn(flock as string, ['--no-fork', lock, 'sh', '-c', 'echo held; exec sleep 1000']);
  await holder.says('held');
  await waitFor('the lock to be there', () => statSync(lock).isFile());
  return holder;
}

/** What does not change between two looks. */
function stable({ uptimeMs: _, cpuPercent: __, memoryBytes: ___, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}

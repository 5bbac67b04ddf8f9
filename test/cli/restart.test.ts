import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { commandOf, isAlive } from '../support/processes.js';
import { fixture, hasShortFolders, serveFile } from '../support/suite.js';
import { test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

describe.concurrent('restart', () => {
  test('ends the running instance and starts a new one, and answers as start does (F22)', async ({ home }) => {
    const before = await home.startSleeper('clock');
    const end = await home.cli(['restart', 'clock', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    const { pid, instanceId, socket } = home.descriptor('clock');
    const { log, descriptor } = before;
    expect(end.json).toEqual({ schema: 1, name: 'clock', outcome: 'started', status: 'running', pid, instanceId, socket, log, descriptor });
    expect(instanceId).not.toBe(before.instanceId);
    expect(socket).not.toBe(before.socket);
    expect([isAlive(before.pid), isAlive(pid)]).toEqual([false, true]);
  });

  test('says so in one line', async ({ home }) => {
    await home.startSleeper('clock');
    const end = await home.cli(['restart', 'clock']);
    expect(end).toMatchObject({ exitCode: 0, stdout: `clock restarted (pid ${home.descriptor('clock').pid})\n`, stderr: '' });
  });

  test('starts one that is stopped, with all that is remembered', async ({ home }) => {
    await home.start('clock', ['sleep', '1000'], '--env', 'A=1', '--grace', '3s', '--daemon-version', '9');
    const before = home.descriptor('clock');
    await home.stop('clock');
    expect((await home.cli(['restart', 'clock', '--json'])).json).toMatchObject({ outcome: 'started', status: 'running' });
    const { command, stop, version } = home.descriptor('clock');
    expect({ command, stop, version }).toEqual({ command: before.command, stop: before.stop, version: before.version });
  });

  test('starts one that is stale', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    process.kill(pid, 'SIGKILL');
    await home.cli(['wait', 'clock', '--for', 'stopped']);
    expect((await home.cli(['restart', 'clock', '--json'])).json).toMatchObject({ outcome: 'started' });
  });

  test.skipIf(!hasShortFolders)(
    'keeps a pinned socket, on which the new instance listens (needs a short temporary folder)',
    async ({ home }) => {
      const server = [process.execPath, fixture('serves.mjs'), serveFile];
      const before = await home.start('clock', server, '--ready', 'socket', '--socket', 'pinned.sock');
      const after = (await home.cli(['restart', 'clock', '--json'])).json;
      expect(after).toMatchObject({ outcome: 'started', socket: before.socket });
      expect(existsSync(home.file('pinned.sock'))).toBe(true);
    },
  );

  test('of a name never known fails with not-found and writes nothing', async ({ home }) => {
    const end = await home.cli(['restart', 'clock', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json).toEqual({
      schema: 1,
      error: { name: 'clock', code: 'not-found', message: 'no daemon named clock is known', hint: 'daemonry list shows what is known' },
    });
    expect(existsSync(home.path)).toBe(false);
  });

  test('of a daemon whose spec is spoiled says so, and what to do, and leaves it running', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    writeFileSync(home.at('clock', 'spec.json'), '{"schema": 1');
    for (const args of [['restart'], ['export', '--to', 'systemd']] as const) {
      const end = await home.cli([...args, 'clock', '--json']);
      expect(end.exitCode).toBe(1);
      expect(end.json.error).toMatchObject({
        code: 'not-found',
        message: "the spec of clock is missing or can't be read",
        hint: 'daemonry stop clock, then start it with its command',
      });
    }
    expect(home.descriptor('clock')).toMatchObject({ pid });
    expect(isAlive(pid)).toBe(true);
  });

  test('kills at the end of the grace it is given', async ({ home }) => {
    const { pid } = await home.start('clock', ['sh', fixture('ignores-sigterm.sh')], '--ready', 'log:^child');
    const after = (await home.cli(['restart', 'clock', '--grace', '80ms', '--json'])).json;
    expect([isAlive(pid), isAlive(after.pid)]).toEqual([false, true]);
    // The new instance keeps the grace of its spec.
    expect(home.descriptor('clock').stop).toEqual({ signal: 'SIGTERM', graceMs: 10_000 });
    await home.cli(['stop', 'clock', '--grace', '0ms']);
  });

  test('does not stop what it could not start again (F22)', async ({ home }) => {
    home.file('place/run', '#!/bin/sh\nexec sleep 1000\n', 0o755);
    const { pid } = await home.start('clock', [home.file('place/run')]);
    // The shell that it is started as has read it.
    await waitFor('the script to be read', () => commandOf(pid) === 'sleep');
    home.file('place/run', 'no program any more');
    chmodSync(home.file('place/run'), 0o644);
    expect(await home.cli(['restart', 'clock'])).toMatchObject({ exitCode: 4, stdout: '' });
    expect(isAlive(pid)).toBe(true);
    expect(home.descriptor('clock')).toMatchObject({ pid, phase: 'ready' });
  });

  test('says why the new instance did not come up, and leaves none (F22)', async ({ home }) => {
    const script = '[ -e "$1" ] && exit 6; echo >&4; exec sleep 1000';
    const { pid } = await home.start('clock', ['sh', '-c', script, 'sh', home.file('broken')], '--ready', 'notify');
    home.file('broken', '');
    const end = await home.cli(['restart', 'clock', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json.error).toMatchObject({ code: 'ended-before-ready', name: 'clock', exitCode: 6 });
    expect(isAlive(pid)).toBe(false);
    expect(home.processes()).toEqual([]);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(3);
  });
});

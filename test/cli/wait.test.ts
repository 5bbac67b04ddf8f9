import { writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { test } from '../support/temporary-home.js';

const keep = ['--ready', 'notify', '--ready-timeout', '50ms', '--on-timeout', 'keep'];

describe.concurrent('wait', () => {
  test('blocks until the daemon is ready', async ({ home }) => {
    const { pid } = await home.startSleeper('clock', ...keep);
    const wait = home.spawnCli(['wait', 'clock', '--json']);
    expect((await home.cli(['status', 'clock', '--json'])).json.phase).toBe('starting');
    expect(wait.ended).toBe(false);
    writeFileSync(home.descriptor('clock').notifyFile, '\n');
    const end = await wait.end();
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json).toEqual({ schema: 1, name: 'clock', status: 'running', phase: 'ready' });
    expect(await home.cli(['wait', 'clock'])).toMatchObject({ exitCode: 0, stdout: `clock is running (pid ${pid})\n` });
  });

  test('for ready waits for a daemon that nobody has started yet', async ({ home }) => {
    const wait = home.spawnCli(['wait', 'clock', '--for', 'ready', '--json']);
    await home.startSleeper('clock');
    expect((await wait.end()).json).toMatchObject({ status: 'running', phase: 'ready' });
  });

  test('for stopped blocks until the process is gone', async ({ home }) => {
    await home.startSleeper('clock');
    const wait = home.spawnCli(['wait', 'clock', '--for', 'stopped', '--json']);
    await home.cli(['status', 'clock']);
    expect(wait.ended).toBe(false);
    await home.stop('clock');
    const end = await wait.end();
    expect(end.exitCode).toBe(0);
    // In the moment between the end and the clearing of the record it is stale.
    expect(['stopped', 'stale']).toContain(end.json.status);
  });

  test('for stopped returns at once where nothing runs', async ({ home }) => {
    expect((await home.cli(['wait', 'clock', '--for', 'stopped', '--json'])).json).toMatchObject({ name: 'clock', status: 'stopped' });
  });

  test('gives up at its --timeout with 124, naming what it waited for', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const end = await home.cli(['wait', 'clock', '--for', 'stopped', '--timeout', '50ms', '--json']);
    expect(end.exitCode).toBe(124);
    expect(end.json.error).toMatchObject({
      code: 'wait-timeout',
      message: 'clock was not stopped within 50ms: it is ready',
      name: 'clock',
      status: 'running',
      phase: 'ready',
      pid,
    });
  });

  test('gives up on a daemon that is only starting', async ({ home }) => {
    await home.startSleeper('clock', ...keep);
    const end = await home.cli(['wait', 'clock', '--timeout', '50ms']);
    expect(end).toMatchObject({ exitCode: 124, stdout: '' });
    expect(end.stderr).toMatch(/^daemonry: clock was not ready within 50ms: it is starting; daemonry status clock and .*\n$/);
  });
});

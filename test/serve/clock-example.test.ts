import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { projectRoot } from '../support/suite.js';
import { test } from '../support/temporary-home.js';

const clock = join(projectRoot, 'examples', 'clock', 'clock.mjs');
const client = join(projectRoot, 'examples', 'clock', 'client.mjs');

test('the clock: started by the command line, asked by its client, stopped over its socket', async ({ home }) => {
  const started = await home.start('clock', [process.execPath, clock], '--ready', 'socket');
  await home.logSays('clock', 'tick 1 ');
  const asked = await home.spawn(process.execPath, [client]).end();
  expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
  expect(asked.stdout).toMatch(/^\{ now: '.*Z', ticks: \d+ \}\n$/);
  expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped' });
  expect(home.log('clock')).toMatch(/stopped after \d+ ticks \(shutdown\)\n$/);
  expect(existsSync(started.socket)).toBe(false);
});

test("the clock's client: starts the clock where it does not run", async ({ home }) => {
  const asked = await home.spawn(process.execPath, [client]).end();
  expect(asked).toMatchObject({ exitCode: 0, stderr: '' });
  const status = (await home.cli(['status', 'clock', '--json'])).json;
  expect(status).toMatchObject({ status: 'running', phase: 'ready' });
  process.kill(status.pid, 'SIGTERM');
  await home.logSays('clock', '(SIGTERM)');
});

test('a clock that ended by itself is stopped, not stale', async ({ home }) => {
  const { pid } = await home.start('clock', [process.execPath, clock], '--ready', 'socket');
  process.kill(pid, 'SIGINT');
  const waited = await home.cli(['wait', 'clock', '--for', 'stopped', '--json']);
  expect(waited.json).toMatchObject({ status: 'stopped' });
  expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'stopped' });
});

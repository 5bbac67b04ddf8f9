import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect } from 'vitest';
import { isAlive, startTokenOf } from '../support/processes.js';
import { fixture, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

const server = [process.execPath, fixture('serves.mjs'), serveFile, JSON.stringify({ version: '2.1.0' })];

const sleeper = ['sleep', '1000'];

function startServer(home: TemporaryHome) {
  return home.start('clock', server, '--ready', 'socket');
}

/** What any language can do in a few lines: one question, one answer. */
function ask(socket: string, method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const connection = connect(socket).setEncoding('utf8').on('error', reject);
    let text = '';
    connection.on('data', (part: string) => {
      text += part;
      if (!text.includes('\n')) return;
      connection.destroy();
      resolve(JSON.parse(text));
    });
    connection.write(`${JSON.stringify({ jsonrpc: '2.0', id: 7, method })}\n`);
  });
}

describe.concurrent('the nine behaviours of any daemon tool', () => {
  test('1: a start publishes the descriptor and the socket of a detached process', async ({ home }) => {
    const started = await startServer(home);
    const descriptor = home.descriptor('clock');
    expect(descriptor).toMatchObject({ schema: 1, name: 'clock', pid: started.pid, instanceId: started.instanceId, phase: 'ready' });
    expect(descriptor.startToken).toBe(startTokenOf(started.pid));
    expect(existsSync(descriptor.socket)).toBe(true);
    expect(isAlive(started.pid)).toBe(true);
  });

  test('2: status says running, then stopped', async ({ home }) => {
    const { pid } = await home.start('clock', sleeper);
    expect(await home.cli(['status', 'clock'])).toMatchObject({ exitCode: 0, stdout: `clock is running (pid ${pid})\n` });
    await home.cli(['stop', 'clock']);
    expect(await home.cli(['status', 'clock'])).toMatchObject({ exitCode: 3, stdout: 'clock is stopped\n' });
    expect(isAlive(pid)).toBe(false);
  });

  test('3: a client attaches, and system.version answers over the wire', async ({ home }) => {
    const { socket } = await startServer(home);
    expect(await ask(socket, 'system.version')).toEqual({ jsonrpc: '2.0', id: 7, result: '2.1.0' });
  });

  test('4: a second start changes nothing, and says already-running on the command line and in the library (F19)', async ({ home }) => {
    const first = await home.start('clock', sleeper);
    const descriptor = home.descriptor('clock');
    expect(await home.start('clock', sleeper)).toEqual({ ...first, outcome: 'already-running' });
    expect(await home.sleeper('clock').start()).toMatchObject({ outcome: 'already-running', pid: first.pid });
    expect(home.descriptor('clock')).toEqual(descriptor);
    expect(home.processes()).toHaveLength(1);
  });

  test('5: a stop without a daemon succeeds and writes nothing', async ({ home }) => {
    const end = await home.cli(['stop', 'clock', '--json']);
    expect(end.exitCode).toBe(0);
    expect(end.json).toMatchObject({ name: 'clock', outcome: 'already-stopped', status: 'stopped' });
    expect(existsSync(home.path)).toBe(false);
  });

  test('6: a stop cleans a stale descriptor', async ({ home }) => {
    home.forge('clock');
    const end = await home.cli(['stop', 'clock', '--json']);
    expect(end.exitCode).toBe(0);
    expect(end.json).toMatchObject({ outcome: 'stale-cleaned', status: 'stopped' });
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('7: status says stale for a dead pid', async ({ home }) => {
    const { pid } = await home.start('clock', sleeper);
    process.kill(pid, 'SIGKILL');
    const end = await home.cli(['wait', 'clock', '--for', 'stopped', '--json']);
    expect(end.json).toMatchObject({ name: 'clock', status: 'stale' });
    const status = await home.cli(['status', 'clock', '--json']);
    expect(status.exitCode).toBe(1);
    expect(status.json).toMatchObject({ status: 'stale', phase: null, pid });
  });

  test('8: a start after a stop comes up on the same paths', async ({ home }) => {
    const first = await home.start('clock', sleeper);
    await home.cli(['stop', 'clock']);
    const second = await home.start('clock', sleeper);
    expect(second).toMatchObject({ outcome: 'started', descriptor: first.descriptor, log: first.log });
    expect(second.instanceId).not.toBe(first.instanceId);
    expect(isAlive(second.pid)).toBe(true);
  });

  test('9: a stop after a stop says already-stopped', async ({ home }) => {
    const { pid } = await home.start('clock', sleeper);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped' });
    expect(await home.cli(['stop', 'clock'])).toMatchObject({ exitCode: 0, stdout: 'clock is already stopped\n', stderr: '' });
    expect(isAlive(pid)).toBe(false);
  });
});

import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { isAlive, startTokenOf, worldHere } from '../support/processes.js';
import { fixture, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const { defineDaemon } = loadLibrary();

const recorded = (file: string) => readFileSync(fixture(join('v1', file)), 'utf8');
const transcript: readonly { from: 'client' | 'daemon'; line: string }[] = recorded('transcript.ndjson')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** A daemon as 0.1.0 left it: its process, which is played from the recording, its descriptor and its spec. */
async function oldDaemon(home: TemporaryHome) {
  const descriptor = JSON.parse(recorded('daemon.json'));
  const instanceId = randomUUID();
  const socket = home.file('old.sock');
  const notes = home.file('notes', '');
  const env = {
    DAEMONRY_NAME: 'acme',
    DAEMONRY_INSTANCE: instanceId,
    DAEMONRY_SOCKET: socket,
    DAEMONRY_DESCRIPTOR: home.at('acme', 'daemon.json'),
  };
  const program = home.spawn(process.execPath, [fixture('v1/old-daemon.mjs'), notes], { env, detached: true });
  const { pid } = program;
  const asked = () => readFileSync(notes, 'utf8').trim().split('\n');
  await waitFor('the old daemon', () => asked().includes('listening'));
  const here = { ...worldHere(), uid: process.getuid?.(), startToken: startTokenOf(pid), pid };
  home.writeRaw('acme', JSON.stringify({ ...descriptor, ...here, instanceId, socket, log: home.at('acme', 'daemon.log') }));
  writeFileSync(home.at('acme', 'spec.json'), recorded('spec.json'), { mode: 0o600 });
  return { pid, instanceId, socket, asked, ended: () => program.end() };
}

function today(home: TemporaryHome, options: Partial<DaemonOptions> = {}) {
  const args = [fixture('serves.mjs'), serveFile, JSON.stringify({ version: options.version })];
  return defineDaemon({ name: 'acme', command: process.execPath, args, ready: 'socket', cwd: '/', home: home.path, ...options });
}

describe.concurrent('a daemon that version 0.1.0 has started', () => {
  test('is seen, and stopped over its socket, by the library (F51)', async ({ home }) => {
    const { pid, instanceId, socket, asked, ended } = await oldDaemon(home);
    const daemon = today(home, { version: '1.0.0' });
    expect(await daemon.status()).toMatchObject({ status: 'running', phase: 'ready', pid, instanceId, socket, version: '1.0.0' });
    expect(await daemon.stop()).toMatchObject({ outcome: 'stopped', pid });
    await ended();
    expect(asked()).toEqual(['listening', 'system.hello', 'system.hello', 'system.shutdown']);
    expect([isAlive(pid), existsSync(home.at('acme', 'daemon.json'))]).toEqual([false, false]);
  });

  test('is seen, and stopped over its socket, by the command line (F51)', async ({ home }) => {
    const { pid, asked, ended } = await oldDaemon(home);
    expect((await home.cli(['status', 'acme', '--json'])).json).toMatchObject({ status: 'running', phase: 'ready', pid });
    expect((await home.cli(['stop', 'acme', '--json'])).json).toMatchObject({ outcome: 'stopped', status: 'stopped' });
    await ended();
    expect(asked().at(-1)).toBe('system.shutdown');
    expect(isAlive(pid)).toBe(false);
  });

  test('is talked to by a program of its version, and is replaced by none of it', async ({ home }) => {
    const { pid, instanceId, ended } = await oldDaemon(home);
    const connection = await today(home, { version: '1.0.0', protocol: { min: 1, max: 9 } }).connect();
    expect(connection.hello).toEqual({ instanceId, name: 'acme', version: '1.0.0', protocol: 1 });
    expect(connection.protocol).toBeNull();
    expect(await connection.request('system.status')).toMatchObject({ pid, phase: 'ready' });
    connection.close();
    expect(await today(home, { version: '0.9.0' }).ensure()).toMatchObject({ outcome: 'already-running', pid });
    await today(home).stop();
    await ended();
  });

  test.for(['replace-if-newer', 'replace-if-newer-and-idle'] as const)(
    'is replaced by a newer version, asked to end over its socket: %s',
    async (onMismatch, { home }) => {
      const old = await oldDaemon(home);
      const daemon = today(home, { version: '2.0.0', onMismatch });
      const replaced = await daemon.ensure();
      expect(replaced).toMatchObject({ outcome: 'replaced', version: '2.0.0' });
      expect([isAlive(old.pid), isAlive(replaced.pid)]).toEqual([false, true]);
      await old.ended();
      expect(old.asked()).not.toContain('SIGTERM');
      expect(old.asked()).toContain('system.shutdown');
      const connection = await daemon.connect();
      expect(connection.hello).toMatchObject({ instanceId: replaced.instanceId, version: '2.0.0' });
      connection.close();
      await daemon.stop();
    },
  );
});

test('a client of version 0.1.0 is answered by a daemon of today as it was then, line for line', async ({ home }) => {
  const { socket } = await today(home, { version: '1.0.0' }).ensure();
  const connection = connect(socket as string);
  connection.on('error', () => {});
  const lines = createInterface({ input: connection })[Symbol.asyncIterator]();
  for (const { from, line } of transcript) {
    if (from === 'client') {
      connection.write(`${line}\n`);
      continue;
    }
    expect(shapeOf(JSON.parse((await lines.next()).value))).toEqual(shapeOf(JSON.parse(line)));
  }
  connection.destroy();
  await today(home).stop();
});

/** What may differ from run to run, by its type only. Whatever was added since is none of an old client's business. */
function shapeOf(message: { result?: unknown; error?: unknown }) {
  const { result } = message;
  if (typeof result !== 'object' || result === null) return message;
  const { instanceId, name, version, protocol, pid, uptimeMs, connections, phase } = result as Record<string, unknown>;
  return {
    ...message,
    result: { name, version, protocol, phase, types: [instanceId, pid, uptimeMs, connections].map((value) => typeof value) },
  };
}

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Connection, openConnection } from '../../src/app/embed/connection.js';
import { waitFor } from '../support/wait-for.js';
import { bundle } from './support/bundle.js';
import { usePeers } from './support/peers.js';
import { type ServedProcess, useYards } from './support/served-process.js';

const newYard = useYards();
const peers = usePeers();
const generousMs = 30_000;
const opened: Connection[] = [];

afterEach(() => {
  for (const connection of opened.splice(0)) connection.close();
});

async function connected(daemon: ServedProcess): Promise<Connection> {
  const connection = await openConnection(daemon.socket, { instanceId: daemon.instanceId, timeoutMs: generousMs });
  opened.push(connection);
  return connection;
}

describe('openConnection', () => {
  test('nobody there: not-serving', async () => {
    const yard = newYard();
    writeFileSync(yard.at('file'), '');
    await expect(openConnection(yard.at('none'), { timeoutMs: generousMs })).rejects.toMatchObject({
      code: 'not-serving',
      facts: { path: yard.at('none'), errno: 'ENOENT' },
    });
    await expect(openConnection(yard.at('file'), { timeoutMs: generousMs })).rejects.toMatchObject({ code: 'not-serving' });
  });

  test('a peer that is silent or hangs up: not-serving; one that speaks something else: protocol-error', async () => {
    const silent = await peers.listen(() => {});
    const closing = await peers.listen((peer) => peer.resume().end());
    const mail = await peers.listen((peer) => peer.resume().write('220 welcome\r\n'));
    const refusing = await peers.answering(({ id }, peer) =>
      peer.write(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"?"}}\n`),
    );
    const strange = await peers.greeting({ hello: 'world' });
    await expect(openConnection(silent, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'not-serving', facts: { reason: 'timeout' } });
    await expect(openConnection(closing, { timeoutMs: generousMs })).rejects.toMatchObject({
      code: 'not-serving',
      facts: { reason: 'closed' },
    });
    for (const path of [mail, refusing, strange]) {
      await expect(openConnection(path, { timeoutMs: generousMs })).rejects.toMatchObject({ code: 'protocol-error' });
    }
  });

  test('another version of the protocol: protocol-error, with both versions (F50)', async () => {
    const path = await peers.greeting({ instanceId: 'i', name: 'n', version: null, protocol: 2 });
    await expect(openConnection(path, { timeoutMs: generousMs })).rejects.toMatchObject({
      code: 'protocol-error',
      facts: { protocol: 2, expected: 1 },
    });
  });

  test('cancelled, before and during the handshake', async () => {
    const silent = await peers.listen(() => {});
    const early = AbortSignal.abort();
    await expect(openConnection(silent, { timeoutMs: generousMs, signal: early })).rejects.toMatchObject({ code: 'cancelled' });
    const controller = new AbortController();
    const opening = openConnection(silent, { timeoutMs: generousMs, signal: controller.signal });
    await waitFor('the connection', () => peers.connectionCount === 1);
    controller.abort();
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('a connection', () => {
  test('the daemon ends: what waits fails with not-serving, onClose is called, later requests fail at once', async () => {
    const daemon = await newYard().serve({ script: { options: { drainMs: 50 } } });
    const connection = await connected(daemon);
    let closed = 0;
    connection.onClose(() => closed++);
    const asked = connection.request('never');
    asked.catch(() => {});
    await daemon.event('asked');
    daemon.kill('SIGTERM');
    await expect(asked).rejects.toMatchObject({ code: 'not-serving', facts: { reason: 'closed' } });
    await waitFor('onClose', () => closed === 1);
    await expect(connection.request('echo')).rejects.toMatchObject({ code: 'not-serving' });
    expect(connection.notify('echo')).toBe(false);
    connection.onClose(() => closed++);
    await waitFor('a late onClose', () => closed === 2);
  });

  test('a daemon that begins to speak something else is given up', async () => {
    const path = await peers.answering(({ id, method }, peer) =>
      peer.write(
        method === 'system.hello'
          ? `${JSON.stringify({ jsonrpc: '2.0', id, result: { instanceId: 'i', name: 'n', version: null, protocol: 1 } })}\n`
          : 'ouch\n',
      ),
    );
    const connection = await openConnection(path, { timeoutMs: generousMs });
    await expect(connection.request('anything')).rejects.toMatchObject({ code: 'protocol-error' });
    await waitFor('the connection to close', () => peers.connectionCount === 0);
  });

  test('idle, it keeps no program alive; waiting or by ref, it does', async () => {
    const yard = newYard();
    const script = await bundle('test/serve/fixtures/use-connection.ts', yard.at('use-connection.mjs'));
    const daemon = await yard.serve();
    const run = (mode: string) => {
      const child = spawn(process.execPath, [script, daemon.socket, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      return { output: () => output, ended: new Promise((resolve) => child.once('close', resolve)) };
    };
    expect(await run('idle').ended).toBe(0);

    const waiting = run('waiting');
    await daemon.event('asked');
    daemon.kill('SIGUSR2');
    expect(await waiting.ended).toBe(0);
    expect(waiting.output()).toBe('late\n');

    const listening = run('listening');
    await waitFor('it to listen', () => listening.output() === 'listening\n');
    daemon.kill('SIGTERM');
    expect(await listening.ended).toBe(0);
    expect(listening.output()).toBe('listening\nclosed\n');
  });
});

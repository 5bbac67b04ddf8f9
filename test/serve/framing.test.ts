import { describe, expect } from 'vitest';
import { maxLineBytes } from '../../src/adapters/net/message-lines.js';
import { waitFor } from '../support/wait-for.js';
import { LineClient } from './support/line-client.js';
import { test } from './support/served-test.js';

describe('a served daemon', () => {
  test('takes a message of 1 MiB', async ({ client }) => {
    const frame = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'system.ping', params: [''] }).length;
    client.send({ jsonrpc: '2.0', id: 1, method: 'system.ping', params: ['x'.repeat(maxLineBytes - frame)] });
    expect(await client.next()).toMatchObject({ result: 'pong' });
  });

  test('refuses a longer message with an error and ends the connection, and only that one', async ({ served, client }) => {
    const other = await LineClient.open(served.socket);
    client.socket.write('x'.repeat(3 * maxLineBytes));
    expect(await client.next()).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32600, message: 'a message has at most 1048576 bytes' },
    });
    await client.whenEnded();
    await waitFor('all of it to be sent', () => client.socket.writableLength === 0);
    expect(client.errors).toEqual([]);
    expect(await other.ask('system.ping')).toMatchObject({ result: 'pong' });
    other.socket.destroy();
  });

  test('cuts off a peer that goes on sending for ever after that', async ({ served, client }) => {
    const flood = () => {
      while (!client.socket.destroyed && client.socket.write(Buffer.alloc(64 * 1024, 'x')));
    };
    client.socket.on('drain', flood);
    flood();
    await client.whenClosed();
    await served.event('closed');
  });

  test('reads a character that arrives in two writes', async ({ served, client }) => {
    const bytes = Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'echo', params: ['€'] })}\n`);
    const cut = bytes.indexOf(Buffer.from('€')) + 1;
    client.socket.setNoDelay(true);
    await new Promise((resolve) => client.socket.write(bytes.subarray(0, cut), resolve));
    // Another connection's answer proves that the daemon has read the first half.
    const other = await LineClient.open(served.socket);
    await other.ask('system.ping');
    other.socket.destroy();
    client.socket.write(bytes.subarray(cut));
    expect(await client.next()).toMatchObject({ result: ['€'] });
  });

  test('takes many messages in one write', async ({ client }) => {
    const lines = Array.from({ length: 500 }, (_, id) => JSON.stringify({ jsonrpc: '2.0', id, method: 'echo', params: [id] }));
    client.socket.write(`${lines.join('\n')}\n`);
    await waitFor('all answers', () => client.lines.length === 500);
    expect(client.lines.map((line) => JSON.parse(line).result[0])).toEqual(Array.from({ length: 500 }, (_, id) => id));
  });

  test('answers a peer that has said all and closed its side', async ({ served, client }) => {
    client.socket.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'afterRelease' })}\n`);
    await served.event('asked');
    served.kill('SIGUSR2');
    expect(await client.next()).toMatchObject({ result: 'late' });
    await client.whenEnded();
    await served.event('closed');
  });

  test('notices a peer that is gone while it works on an answer, and knows it from one that listens', async ({ served, client }) => {
    client.send({ jsonrpc: '2.0', id: 1, method: 'never' });
    await served.event('asked');
    const listening = await LineClient.open(served.socket);
    listening.socket.end(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'afterRelease' })}\n`);
    // Before that it would not take the signal for a word to go on.
    await served.event('asked', 2);
    client.socket.destroy();
    await served.event('closed');
    served.kill('SIGUSR2');
    expect(await listening.next()).toMatchObject({ result: 'late' });
  });

  test('lets go of a peer that closes its side in the middle of a message', async ({ served, client }) => {
    client.socket.end('{"jsonrpc"');
    await client.whenEnded();
    expect(client.lines).toEqual([]);
    await served.event('closed');
  });

  test('refuses more than 1024 requests under way on one connection', async ({ client }) => {
    const request = (id: number) => `${JSON.stringify({ jsonrpc: '2.0', id, method: 'never' })}\n`;
    client.socket.write(Array.from({ length: 1_025 }, (_, id) => request(id)).join(''));
    expect(await client.next()).toMatchObject({ id: 1_024, error: { code: -32001 } });
  });

  test('an id as long as a message does not end the daemon', async ({ client }) => {
    const id = 'i'.repeat(maxLineBytes - 60);
    client.send({ jsonrpc: '2.0', id, method: 'x' });
    expect(await client.next()).toMatchObject({ id: null, error: { code: -32603 } });
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('cuts off a peer that does not read', async ({ served, client }) => {
    client.send({ jsonrpc: '2.0', id: 1, method: 'flood' });
    client.socket.pause();
    await served.event('cut-off');
    const other = await LineClient.open(served.socket);
    expect(await other.ask('system.ping')).toMatchObject({ result: 'pong' });
    other.socket.destroy();
  });
});

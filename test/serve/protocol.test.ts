import { describe, expect } from 'vitest';
import { waitFor } from '../support/wait-for.js';
import { test } from './support/served-test.js';

describe('administrative methods', () => {
  test('system.hello: says who answers', async ({ served, client }) => {
    expect(await client.ask('system.hello')).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { instanceId: served.instanceId, name: 'tested', version: '2.1.0', protocol: 1 },
    });
  });

  test('system.version, system.ping: answer plainly', async ({ client }) => {
    expect(await client.ask('system.version')).toMatchObject({ result: '2.1.0' });
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('system.status: counts connections and tells pid, phase and uptime', async ({ served, client }) => {
    const { result } = await client.ask('system.status');
    expect(result).toEqual({
      instanceId: served.instanceId,
      name: 'tested',
      version: '2.1.0',
      pid: served.pid,
      uptimeMs: expect.any(Number),
      connections: 1,
      phase: 'ready',
    });
  });

  test('an unknown system method is unknown', async ({ client }) => {
    expect(await client.ask('system.other')).toMatchObject({ error: { code: -32601 } });
  });
});

describe('own methods', () => {
  test('answer with what they return, null where that is nothing', async ({ client }) => {
    expect(await client.ask('echo', { deep: [1, 'ü', null] })).toMatchObject({ result: { deep: [1, 'ü', null] } });
    expect(await client.ask('nothing')).toEqual({ jsonrpc: '2.0', id: 1, result: null });
    expect(await client.ask('whoami')).toMatchObject({ result: 'a connection of my own' });
  });

  test('answer null where their result is what JSON leaves out', async ({ client }) => {
    for (const index of [0, 1, 2]) expect(await client.ask('unsayable', [index])).toEqual({ jsonrpc: '2.0', id: 1, result: null });
  });

  test('answer an error with its message and no stack', async ({ client }) => {
    expect(await client.ask('fail')).toEqual({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'it went wrong' } });
    expect(await client.ask('failWithText')).toMatchObject({ error: { code: -32000, message: 'plain text' } });
    expect(await client.ask('failWithProxy')).toMatchObject({ error: { code: -32000, message: 'the method failed' } });
    expect(await client.ask('failWithCode')).toMatchObject({ error: { code: 42, message: 'a code of its own', data: { why: 'test' } } });
  });

  test('answer an error where the result can not be sent', async ({ client }) => {
    expect(await client.ask('throwsWhenSaid')).toMatchObject({ id: 1, error: { code: -32603, message: 'the method failed' } });
    expect(await client.ask('circular')).toMatchObject({ id: 1, error: { code: -32603 } });
    expect(await client.ask('big')).toMatchObject({ id: 1, error: { code: -32603, message: expect.stringContaining('bytes') } });
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('may ask the client back', async ({ client }) => {
    client.send({ jsonrpc: '2.0', id: 7, method: 'askBack', params: ['well?'] });
    const asked = await client.next();
    expect(asked).toMatchObject({ method: 'question', params: ['well?'] });
    client.send({ jsonrpc: '2.0', id: asked.id, result: 'yes' });
    expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 7, result: 'the client says yes' });
  });

  test('answer in the order of their ends, each with its id', async ({ served, client }) => {
    client.send({ jsonrpc: '2.0', id: 'slow', method: 'afterRelease' });
    client.send({ jsonrpc: '2.0', id: 2.5, method: 'echo', params: [] });
    client.send({ jsonrpc: '2.0', id: null, method: 'echo', params: [] });
    expect(await client.next()).toMatchObject({ id: 2.5 });
    expect(await client.next()).toMatchObject({ id: null });
    served.kill('SIGUSR2');
    expect(await client.next()).toMatchObject({ id: 'slow', result: 'late' });
  });
});

describe('messages that are none', () => {
  test.for([
    ['what is not JSON', '{"jsonrpc"', -32700, null],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"system.ping"}]', -32600, null],
    ['an empty batch', '[]', -32600, null],
    ['null', 'null', -32600, null],
    ['a number', '7', -32600, null],
    ['a request without a version', '{"id":3,"method":"system.ping"}', -32600, 3],
    ['a method that is no text', '{"jsonrpc":"2.0","id":3,"method":1}', -32600, 3],
    ['params that are no structure', '{"jsonrpc":"2.0","id":3,"method":"echo","params":"x"}', -32600, 3],
    ['an id that is none', '{"jsonrpc":"2.0","id":{},"method":"system.ping"}', -32600, null],
    ['an unknown method', '{"jsonrpc":"2.0","id":3,"method":"toString"}', -32601, 3],
  ] as const)('%s is answered with its code, and the connection goes on', async ([, line, code, id], { client }) => {
    client.send(line);
    expect(await client.next()).toEqual({ jsonrpc: '2.0', id, error: { code, message: expect.any(String) } });
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('a batch is called one', async ({ client }) => {
    client.send('[{"jsonrpc":"2.0","id":1,"method":"system.ping"}]');
    expect(await client.next()).toMatchObject({ error: { message: 'batches are not taken' } });
  });

  test('bytes that are not UTF-8 are a parse error', async ({ client }) => {
    client.socket.write(
      Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"echo","params":["'), Buffer.of(0xff), Buffer.from('"]}\n')]),
    );
    expect(await client.next()).toMatchObject({ id: null, error: { code: -32700 } });
  });

  test('notifications, blank lines and stray responses get no answer', async ({ served, client }) => {
    client.send({ jsonrpc: '2.0', method: 'echo', params: [1] });
    client.send({ jsonrpc: '2.0', method: 'no-such-method' });
    client.send({ jsonrpc: '2.0', method: 'fail' });
    client.send('');
    client.send('\r');
    client.send({ jsonrpc: '2.0', id: 9, result: 1 });
    client.send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'you are wrong' } });
    expect(await client.ask('system.ping')).toEqual({ jsonrpc: '2.0', id: 1, result: 'pong' });
    expect(client.lines).toHaveLength(1);
    await waitFor('what it reports', () => served.stderr !== '');
    expect(served.stderr).toBe('daemonry: fail failed: it went wrong\n');
  });
});

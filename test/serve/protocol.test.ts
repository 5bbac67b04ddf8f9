import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LineClient } from './support/line-client.js';
import { type ServedProcess, useYards } from './support/served-process.js';

const newYard = useYards();
let daemon: ServedProcess;
let client: LineClient;

beforeEach(async () => {
  daemon = await newYard().serve({ script: { options: { version: '2.1.0' } } });
  client = await LineClient.open(daemon.socket);
});
afterEach(() => {
  client.socket.destroy();
});

describe('administrative methods', () => {
  test('system.hello: says who answers', async () => {
    expect(await client.ask('system.hello')).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { instanceId: daemon.instanceId, name: 'tested', version: '2.1.0', protocol: 1 },
    });
  });

  test('system.version, system.ping: answer plainly', async () => {
    expect(await client.ask('system.version')).toMatchObject({ result: '2.1.0' });
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('system.status: counts connections and tells pid, phase and uptime', async () => {
    const { result } = await client.ask('system.status');
    expect(result).toEqual({
      instanceId: daemon.instanceId,
      name: 'tested',
      version: '2.1.0',
      pid: daemon.pid,
      uptimeMs: expect.any(Number),
      connections: 1,
      phase: 'ready',
    });
  });

  test('a daemon without a version answers null', async () => {
    const plain = await newYard().serve();
    const asking = await LineClient.open(plain.socket);
    expect(await asking.ask('system.version')).toMatchObject({ result: null });
    expect(await asking.ask('system.hello')).toMatchObject({ result: { version: null } });
    asking.socket.destroy();
  });

  test('an unknown system method is unknown, and none can be overridden', async () => {
    expect(await client.ask('system.other')).toMatchObject({ error: { code: -32601 } });
    const refused = await newYard().launch({ script: { overrides: 'system.hello' } });
    expect(await refused.event('error')).toContain('"code":"invalid-spec"');
    expect(await refused.end()).toEqual({ code: 3, signal: null });
  });
});

describe('own methods', () => {
  test('answer with what they return, null where that is nothing', async () => {
    expect(await client.ask('echo', { deep: [1, 'ü', null] })).toMatchObject({ result: { deep: [1, 'ü', null] } });
    expect(await client.ask('nothing')).toEqual({ jsonrpc: '2.0', id: 1, result: null });
    expect(await client.ask('whoami')).toMatchObject({ result: 'a connection of my own' });
  });

  test('answer an error with its message and no stack', async () => {
    expect(await client.ask('fail')).toEqual({ jsonrpc: '2.0', id: 1, error: { code: -32000, message: 'it went wrong' } });
    expect(await client.ask('failWithText')).toMatchObject({ error: { code: -32000, message: 'plain text' } });
    expect(await client.ask('failWithCode')).toMatchObject({ error: { code: 42, message: 'a code of its own', data: { why: 'test' } } });
  });

  test('answer an error where the result can not be sent', async () => {
    expect(await client.ask('circular')).toMatchObject({ id: 1, error: { code: -32603 } });
    expect(await client.ask('big')).toMatchObject({ id: 1, error: { code: -32603, message: expect.stringContaining('bytes') } });
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('may ask the client back', async () => {
    client.send({ jsonrpc: '2.0', id: 7, method: 'askBack', params: ['well?'] });
    const asked = await client.next();
    expect(asked).toMatchObject({ method: 'question', params: ['well?'] });
    client.send({ jsonrpc: '2.0', id: asked.id, result: 'yes' });
    expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 7, result: 'the client says yes' });
  });

  test('answer in the order of their ends, each with its id', async () => {
    client.send({ jsonrpc: '2.0', id: 'slow', method: 'afterRelease' });
    client.send({ jsonrpc: '2.0', id: 2.5, method: 'echo', params: [] });
    client.send({ jsonrpc: '2.0', id: null, method: 'echo', params: [] });
    expect(await client.next()).toMatchObject({ id: 2.5 });
    expect(await client.next()).toMatchObject({ id: null });
    daemon.kill('SIGUSR2');
    expect(await client.next()).toMatchObject({ id: 'slow', result: 'late' });
  });
});

describe('messages that are none', () => {
  test.each([
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
  ])('%s is answered with its code, and the connection goes on', async (_what, line, code, id) => {
    client.send(line);
    expect(await client.next()).toEqual({ jsonrpc: '2.0', id, error: { code, message: expect.any(String) } });
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('a batch is called one', async () => {
    client.send('[{"jsonrpc":"2.0","id":1,"method":"system.ping"}]');
    expect(await client.next()).toMatchObject({ error: { message: 'batches are not taken' } });
  });

  test('bytes that are not UTF-8 are a parse error', async () => {
    client.socket.write(
      Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"echo","params":["'), Buffer.of(0xff), Buffer.from('"]}\n')]),
    );
    expect(await client.next()).toMatchObject({ id: null, error: { code: -32700 } });
  });

  test('notifications, blank lines and stray responses get no answer', async () => {
    client.send({ jsonrpc: '2.0', method: 'echo', params: [1] });
    client.send({ jsonrpc: '2.0', method: 'no-such-method' });
    client.send({ jsonrpc: '2.0', method: 'fail' });
    client.send('');
    client.send('\r');
    client.send({ jsonrpc: '2.0', id: 9, result: 1 });
    client.send({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'you are wrong' } });
    expect(await client.ask('system.ping')).toEqual({ jsonrpc: '2.0', id: 1, result: 'pong' });
    expect(client.lines).toHaveLength(1);
    expect(daemon.stderr).toBe('daemonry: fail failed: it went wrong\n');
  });

  test('a failing onConnection costs a line on stderr, not the connection', async () => {
    const grumpy = await newYard().serve({ script: { onConnection: 'throw' } });
    const asking = await LineClient.open(grumpy.socket);
    expect(await asking.ask('system.ping')).toMatchObject({ result: 'pong' });
    expect(grumpy.stderr).toBe('daemonry: onConnection failed: no connections today\n');
    asking.socket.destroy();
  });
});

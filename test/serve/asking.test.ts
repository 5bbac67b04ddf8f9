import { describe, expect } from 'vitest';
import { JsonRpcControlChannel } from '../../src/adapters/net/json-rpc-control-channel.js';
import { type Connection, openConnection } from '../../src/app/embed/connection.js';
import { waitFor } from '../support/wait-for.js';
import { test as base } from './support/served-test.js';

/** None of these tests waits for it. */
const generousMs = 30_000;
const channel = new JsonRpcControlChannel();

const test = base.extend<{ connection: Connection }>({
  connection: async ({ served }, use) => {
    const connection = await openConnection(served.socket, { instanceId: served.instanceId, timeoutMs: generousMs });
    await use(connection);
    connection.close();
  },
});

describe('a connection to a served daemon', () => {
  test('knows who answers', async ({ served, connection }) => {
    expect(connection.hello).toEqual({ instanceId: served.instanceId, name: 'tested', version: '2.1.0', protocol: 1 });
  });

  test('to another instance than was asked for: not-serving', async ({ served }) => {
    await expect(openConnection(served.socket, { instanceId: 'another', timeoutMs: generousMs })).rejects.toMatchObject({
      code: 'not-serving',
      facts: { expected: 'another', instanceId: served.instanceId },
    });
  });

  test('asks, and is answered', async ({ connection }) => {
    expect(await connection.request('echo', { n: 1 })).toEqual({ n: 1 });
    expect(await Promise.all([1, 2, 3].map((n) => connection.request('echo', [n])))).toEqual([[1], [2], [3]]);
  });

  test('an answer that is an error: code and message', async ({ connection }) => {
    await expect(connection.request('fail')).rejects.toMatchObject({ name: 'RpcError', code: -32000, message: 'it went wrong' });
    await expect(connection.request('no-such')).rejects.toMatchObject({ code: -32601 });
    await expect(connection.request('failWithCode')).rejects.toMatchObject({ code: 42, data: { why: 'test' } });
  });

  test('a request that takes too long, is cancelled, or can not be sent fails alone', async ({ connection }) => {
    await expect(connection.request('never', undefined, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'not-serving' });
    const controller = new AbortController();
    const asked = connection.request('never', undefined, { signal: controller.signal });
    controller.abort();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    await expect(connection.request('echo', ['x'.repeat(2 * 1024 * 1024)])).rejects.toMatchObject({ name: 'RpcError', code: -32603 });
    await expect(connection.request('echo', [1n])).rejects.toMatchObject({ name: 'RpcError' });
    expect(() => connection.notify('echo', [1n])).toThrow('JSON');
    expect(await connection.request('echo', [1])).toEqual([1]);
  });

  test('a request with options that are none, or with a word for parameters, fails alone', async ({ connection }) => {
    for (const options of [null, 5, { timeoutMs: 'x' }, { timeoutMs: 10n }, { timeoutMs: -1 }, { signal: 5 }]) {
      await expect(connection.request('echo', [1], options as never)).rejects.toMatchObject({ code: 'invalid-spec' });
    }
    await expect(connection.request('echo', 'word')).rejects.toMatchObject({ name: 'RpcError', code: -32600 });
    expect(await connection.request('echo', [1], { timeoutMs: Number.POSITIVE_INFINITY })).toEqual([1]);
  });

  test('a request whose parameters fail when they are written fails alone, also where they cancel it', async ({ connection }) => {
    const cancel = new AbortController();
    const toJSON = () => {
      cancel.abort();
      throw new Error('no JSON today');
    };
    await expect(connection.request('echo', { toJSON }, { signal: cancel.signal })).rejects.toMatchObject({ code: -32603 });
    expect(await connection.request('echo', [1])).toEqual([1]);
  });

  test('hears notifications, until it does not want to any more', async ({ connection }) => {
    const heard: unknown[] = [];
    const stop = connection.onNotification('question', (params) => heard.push(params));
    connection.handle('answerable', () => 'an answer');
    await connection.request('askBack', ['once']).catch(() => {});
    await waitFor('the notification', () => heard.length === 1);
    stop();
    await connection.request('askBack', ['twice']).catch(() => {});
    expect(heard).toEqual([['once']]);
  });

  test('answers what the daemon asks', async ({ connection }) => {
    connection.handle('question', (params) => `you asked ${params}`);
    expect(await connection.request('askBack', ['why'])).toBe('the client says you asked why');
  });

  test('close: what was sent arrives, what waits fails', async ({ served, connection }) => {
    const asked = connection.request('never');
    connection.notify('fail');
    connection.close();
    await expect(asked).rejects.toMatchObject({ code: 'not-serving' });
    await waitFor('the notification', () => served.stderr === 'daemonry: fail failed: it went wrong\n');
    await served.event('closed');
  });
});

describe('a served daemon on the control channel', () => {
  test('says who it is', async ({ served }) => {
    expect(await channel.hello(served.socket, generousMs)).toEqual({
      kind: 'hello',
      instanceId: served.instanceId,
      name: 'tested',
      version: '2.1.0',
      protocol: 1,
    });
  });

  test('is another while it is stopped by a signal (F15)', async ({ served }) => {
    served.kill('SIGSTOP');
    expect(await channel.hello(served.socket, 100)).toEqual({ kind: 'other' });
    served.kill('SIGCONT');
    expect(await channel.hello(served.socket, generousMs)).toMatchObject({ kind: 'hello' });
  });

  test('does not ask another instance to end', async ({ served }) => {
    expect(await channel.shutdown(served.socket, 'another', generousMs)).toBe(false);
    expect(await channel.hello(served.socket, generousMs)).toMatchObject({ kind: 'hello' });
    expect(served.events().filter((event) => event.startsWith('stop'))).toEqual([]);
  });
});

describe('a served daemon that can not reload', () => {
  test('ignores SIGHUP, and answers system.reload with false (F41)', async ({ served, client }) => {
    served.kill('SIGHUP');
    expect(await client.ask('system.reload')).toMatchObject({ result: false });
    expect(served.stderr).toBe('');
  });
});

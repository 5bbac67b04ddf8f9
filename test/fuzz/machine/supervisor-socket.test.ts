import { statSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { LineClient } from '../../serve/support/line-client.js';
import { startKept, supervisorOf } from '../../supervise/support/supervised.js';
import { processFacts } from '../../support/processes.js';
import { type TemporaryHome, test } from '../../support/temporary-home.js';
import { fc, runs } from '../support/fuzz.js';
import { anyHostileJson } from '../support/mutations.js';

const method = 'supervisor.perform';

/** A client of the supervisor, which keeps a daemon. */
async function open(home: TemporaryHome) {
  const { pid, instanceId } = await startKept(home, 'kept');
  const supervisor = supervisorOf(home);
  const client = await LineClient.open(home.descriptor('supervisor').socket);
  /** Whatever it was told: it is the same, keeps what it kept, started nothing, and serves the next who asks. */
  const expectUnharmed = async () => {
    expect((await client.ask('supervisor.names')).result).toEqual(['kept']);
    expect(home.descriptor('kept')).toMatchObject({ pid, instanceId, phase: 'ready' });
    expect(
      home
        .processes()
        .map((seen) => seen.pid)
        .sort(),
    ).toEqual([pid, supervisor.pid].sort());
    expect(processFacts(supervisor.pid)?.startToken).toBe(supervisor.startToken);
    expect(home.log('supervisor')).not.toMatch(/failed:| {4}at /);
  };
  return { client, expectUnharmed };
}

/** What it answers: a failure that has a code, or none of our protocol's successes. */
function expectRefusal(answer: { result?: unknown; error?: unknown }): void {
  const { failed, done } = (answer.result ?? {}) as { failed?: { code: string; message: string }; done?: unknown };
  expect(done).toBeUndefined();
  if (failed) expect([typeof failed.code, failed.message.includes('\n')]).toEqual(['string', false]);
  else expect(answer.error).toBeDefined();
}

const whole = {
  verb: 'start',
  request: {
    ref: { name: 'other' },
    spec: { command: ['no-such-command'], cwd: '/', restart: 'always' },
    environment: { PATH: '/usr/bin:/bin' },
  },
};

describe('the socket of a supervisor', () => {
  test('whatever is asked of it by anybody: is refused, and harms nothing', async ({ home }) => {
    const { client, expectUnharmed } = await open(home);
    await fc.assert(
      fc.asyncProperty(fc.oneof(anyHostileJson, fc.json()), async (text) => {
        // As a text, which may be nested deeper than anybody can write it anew.
        client.send(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${text.replaceAll('\n', ' ')}}`);
        expectRefusal(await client.next());
      }),
      runs(150),
    );
    await expectUnharmed();
    client.socket.destroy();
  });

  const places: readonly (readonly string[])[] = [
    ['verb'],
    ['request'],
    ['request', 'ref'],
    ['request', 'ref', 'name'],
    ['request', 'ref', 'descriptor'],
    ['request', 'spec'],
    ['request', 'spec', 'command'],
    ['request', 'spec', 'cwd'],
    ['request', 'spec', 'restart'],
    ['request', 'environment'],
    ['request', 'environment', 'PATH'],
    ['request', 'force'],
    ['request', 'graceMs'],
  ];
  test('anything at any place of what is asked: is refused, and harms nothing', async ({ home }) => {
    const { client, expectUnharmed } = await open(home);
    const odd: readonly unknown[] = [
      null,
      true,
      0,
      -1,
      1.5,
      1e308,
      '',
      'x',
      '../../x',
      '/dev/null/x',
      'a\u0000b',
      'con',
      [],
      [1],
      [''],
      {},
      { a: 1 },
      { toString: 1 },
    ];
    for (const place of places) for (const value of odd) expectRefusal(await client.ask(method, withAt(whole, place, value)));
    await expectUnharmed();
    client.socket.destroy();
  });

  for (const name of ['supervisor', 'SUPERVISOR', '../kept', 'con', '']) {
    test(`a daemon named ${JSON.stringify(name)} is refused by it, as by the command line`, async ({ home }) => {
      const { client, expectUnharmed } = await open(home);
      const request = { ...whole.request, ref: { name }, spec: { ...whole.request.spec, command: ['sleep', '1000'] } };
      const { result } = await client.ask(method, { verb: 'start', request });
      expect(result).toMatchObject({ failed: { code: 'invalid-name' } });
      await expectUnharmed();
      client.socket.destroy();
    });
  }

  test('is for its owner only', async ({ home }) => {
    await startKept(home, 'kept');
    expect(statSync(home.descriptor('supervisor').socket).mode & 0o077).toBe(0);
  });
});

function withAt(value: unknown, [first, ...rest]: readonly string[], put: unknown): unknown {
  if (first === undefined) return put;
  const record = value as Record<string, unknown>;
  return { ...record, [first]: withAt(record[first] ?? {}, rest, put) };
}

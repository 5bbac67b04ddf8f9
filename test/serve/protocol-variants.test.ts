import { describe, expect, test } from 'vitest';
import { LineClient } from './support/line-client.js';
import { useYards } from './support/served-process.js';

const newYard = useYards();

describe('a served daemon of another kind', () => {
  test('a daemon without a version answers null', async () => {
    const plain = await newYard().serve();
    const asking = await LineClient.open(plain.socket);
    expect(await asking.ask('system.version')).toMatchObject({ result: null });
    expect(await asking.ask('system.hello')).toMatchObject({ result: { version: null } });
    asking.socket.destroy();
  });

  test('that overrides an administrative method does not come up', async () => {
    const refused = await newYard().launch({ script: { overrides: 'system.hello' } });
    expect(await refused.event('error')).toContain('"code":"invalid-spec"');
    expect(await refused.end()).toEqual({ code: 3, signal: null });
  });

  test('a failing onConnection costs a line on stderr, not the connection', async () => {
    const grumpy = await newYard().serve({ script: { onConnection: 'throw' } });
    const asking = await LineClient.open(grumpy.socket);
    expect(await asking.ask('system.ping')).toMatchObject({ result: 'pong' });
    expect(grumpy.stderr).toBe('daemonry: onConnection failed: no connections today\n');
    asking.socket.destroy();
  });
});

import { existsSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LineClient } from './support/line-client.js';
import { useYards } from './support/served-process.js';

const newYard = useYards();
const clean = { code: 0, signal: null };

describe('a served daemon that is told to end', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s: runs onStop, leaves its marker, removes its socket, exits with 0', async (signal) => {
    const yard = newYard();
    const daemon = await yard.serve();
    daemon.kill(signal);
    expect(await daemon.end()).toEqual(clean);
    expect(daemon.events().slice(1)).toEqual([`stop ${signal}`, 'stopped', 'exit 0']);
    expect(readFileSync(yard.at('ended'), 'utf8')).toBe(`${daemon.instanceId}\n`);
    expect(statSync(yard.at('ended')).mode & 0o777).toBe(0o600);
    expect(existsSync(daemon.socket)).toBe(false);
    expect(daemon.stderr).toBe('');
  });

  test('system.shutdown: answers first, then ends', async () => {
    const daemon = await newYard().serve();
    const client = await LineClient.open(daemon.socket);
    expect(await client.ask('system.shutdown')).toEqual({ jsonrpc: '2.0', id: 1, result: true });
    await client.whenEnded();
    expect(await daemon.end()).toEqual(clean);
    expect(daemon.events()).toContain('stop shutdown');
  });

  test('stop(): ends as if it were told to', async () => {
    const daemon = await newYard().serve();
    const client = await LineClient.open(daemon.socket);
    expect(await client.ask('stop')).toMatchObject({ result: null });
    expect(await daemon.end()).toEqual(clean);
    expect(daemon.events()).toContain('stop stop');
  });

  test('several signals and requests at once: onStop runs once, and nothing cuts it short', async () => {
    const daemon = await newYard().serve({ script: { onStop: 'until-released' } });
    const client = await LineClient.open(daemon.socket);
    daemon.kill('SIGTERM');
    daemon.kill('SIGINT');
    await daemon.event('stop');
    daemon.kill('SIGTERM');
    daemon.kill('SIGHUP');
    expect(await client.ask('system.shutdown')).toMatchObject({ result: true });
    expect(await client.ask('system.status')).toMatchObject({ result: { phase: 'stopping' } });
    daemon.kill('SIGUSR2');
    expect(await daemon.end()).toEqual(clean);
    expect(daemon.events().filter((event) => event.startsWith('stop '))).toHaveLength(1);
    expect(daemon.events()).toContain('stopped');
  });

  test('an onStop that throws: one line on stderr, exit code 1, no marker, no socket', async () => {
    const yard = newYard();
    const daemon = await yard.serve({ script: { onStop: 'throw' } });
    daemon.kill('SIGTERM');
    expect(await daemon.end()).toEqual({ code: 1, signal: null });
    expect(daemon.stderr).toBe('daemonry: onStop failed: could not flush\n');
    expect(existsSync(yard.at('ended'))).toBe(false);
    expect(existsSync(daemon.socket)).toBe(false);
  });

  test('an onStop that never ends counts as failed after its bound', async () => {
    const daemon = await newYard().serve({ script: { onStop: 'never', options: { onStopTimeoutMs: 50 } } });
    daemon.kill('SIGTERM');
    expect(await daemon.end()).toEqual({ code: 1, signal: null });
    expect(daemon.stderr).toBe('daemonry: onStop failed: it did not finish within 50ms\n');
  });

  test('answers under way are sent before it ends, new requests are not taken', async () => {
    const daemon = await newYard().serve();
    const client = await LineClient.open(daemon.socket);
    client.send({ jsonrpc: '2.0', id: 1, method: 'afterRelease' });
    await daemon.event('asked');
    daemon.kill('SIGTERM');
    await daemon.event('stopped');
    client.send({ jsonrpc: '2.0', id: 2, method: 'echo', params: [] });
    daemon.kill('SIGUSR2');
    await client.whenEnded();
    expect(client.lines.map((line) => JSON.parse(line).id)).toEqual([1]);
    expect(await daemon.end()).toEqual(clean);
  });

  test('an answer that never comes, an idle client and one that does not read are cut off after the drain bound (F54)', async () => {
    const daemon = await newYard().serve({ script: { options: { drainMs: 100 } } });
    const asking = await LineClient.open(daemon.socket);
    const idle = await LineClient.open(daemon.socket);
    const deaf = await LineClient.open(daemon.socket);
    deaf.socket.pause();
    asking.send({ jsonrpc: '2.0', id: 1, method: 'never' });
    for (let count = 0; count < 8; count++) deaf.send({ jsonrpc: '2.0', id: 1, method: 'echo', params: ['x'.repeat(500_000)] });
    await daemon.event('asked');
    await idle.ask('system.ping');
    daemon.kill('SIGTERM');
    expect(await daemon.end()).toEqual(clean);
    await asking.whenEnded();
    asking.socket.destroy();
    deaf.socket.destroy();
    idle.socket.destroy();
  });

  test('an idle client does not delay the end by the drain bound', async () => {
    const daemon = await newYard().serve({ script: { options: { drainMs: 60_000 } } });
    const idle = await LineClient.open(daemon.socket);
    daemon.kill('SIGTERM');
    expect(await daemon.end()).toEqual(clean);
    idle.socket.destroy();
  });
});

describe('a served daemon that ends in another way', () => {
  test('exit code 0: leaves the marker and no socket', async () => {
    const yard = newYard();
    const daemon = await yard.serve();
    (await LineClient.open(daemon.socket)).send({ jsonrpc: '2.0', method: 'exit', params: { code: 0 } });
    expect(await daemon.end()).toEqual(clean);
    expect(readFileSync(yard.at('ended'), 'utf8')).toBe(`${daemon.instanceId}\n`);
    expect(existsSync(daemon.socket)).toBe(false);
  });

  test('another exit code: no marker and no socket', async () => {
    const yard = newYard();
    const daemon = await yard.serve();
    (await LineClient.open(daemon.socket)).send({ jsonrpc: '2.0', method: 'exit', params: { code: 3 } });
    expect(await daemon.end()).toEqual({ code: 3, signal: null });
    expect(existsSync(yard.at('ended'))).toBe(false);
    expect(existsSync(daemon.socket)).toBe(false);
  });

  test('a signal that it does not handle: dies by it, without a marker or a socket', async () => {
    const yard = newYard();
    const daemon = await yard.serve();
    daemon.kill('SIGQUIT');
    expect(await daemon.end()).toEqual({ code: null, signal: 'SIGQUIT' });
    expect(existsSync(yard.at('ended'))).toBe(false);
    expect(existsSync(daemon.socket)).toBe(false);
  });

  test('no marker beside a descriptor that is not its own, nor where there is none (F30)', async () => {
    const yard = newYard();
    const daemon = await yard.serve({ script: { onStop: 'until-released' } });
    daemon.kill('SIGTERM');
    await daemon.event('stop');
    yard.describe('a-successor');
    daemon.kill('SIGUSR2');
    expect(await daemon.end()).toEqual(clean);
    expect(existsSync(yard.at('ended'))).toBe(false);
  });
});

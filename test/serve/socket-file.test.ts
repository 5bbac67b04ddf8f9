import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../support/wait-for.js';
import { LineClient } from './support/line-client.js';
import { type ServedProcess, useYards, type Yard } from './support/served-process.js';

const newYard = useYards();
const clean = { code: 0, signal: null };

async function refusal(yard: Yard, socket: string): Promise<{ code: string; facts: Record<string, unknown> }> {
  const daemon = await yard.launch({ socket });
  const event = await daemon.event('error');
  expect(await daemon.end()).toEqual({ code: 3, signal: null });
  expect(daemon.stderr).toBe('');
  return JSON.parse(event.slice('error '.length));
}

async function killed(daemon: ServedProcess): Promise<void> {
  daemon.kill('SIGKILL');
  await daemon.end();
}

describe('the socket of a served daemon', () => {
  test("is its owner's only, in a folder that is its owner's only (F32)", async () => {
    const yard = newYard();
    const daemon = await yard.serve({ socket: yard.at('a/b/s') });
    expect(lstatSync(daemon.socket).isSocket()).toBe(true);
    expect(statSync(daemon.socket).mode & 0o777).toBe(0o600);
    expect(statSync(yard.at('a/b')).mode & 0o777).toBe(0o700);
    expect(statSync(yard.at('a')).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(daemon.socket))).toEqual(['s']);
  });

  test('leaves the umask as it was', async () => {
    const yard = newYard();
    const daemon = await yard.serve();
    expect(statSync(yard.at(`events-${daemon.instanceId}`)).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  test('replaces what a killed daemon left at a pinned path (F29)', async () => {
    const yard = newYard();
    await killed(await yard.serve());
    expect(lstatSync(yard.at('s')).isSocket()).toBe(true);
    const successor = await yard.serve();
    expect(await (await LineClient.open(successor.socket)).ask('system.ping')).toMatchObject({ result: 'pong' });
    expect(readdirSync(yard.folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test("takes nobody's place who listens (F13)", async () => {
    const yard = newYard();
    const first = await yard.serve();
    expect(await refusal(yard, first.socket)).toEqual({
      code: 'socket-unusable',
      facts: { path: first.socket, reason: 'in-use', errno: null },
    });
    expect(await (await LineClient.open(first.socket)).ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test("takes nobody's place who listens and speaks something else", async () => {
    const yard = newYard();
    const server = createServer((socket) => socket.end('220 hello\r\n')).listen(yard.at('s'));
    expect(await refusal(yard, yard.at('s'))).toMatchObject({ facts: { reason: 'in-use' } });
    expect(server.listening).toBe(true);
    server.close();
  });

  test('of several that start at one leftover, one wins (F13, F29)', async () => {
    const yard = newYard();
    await killed(await yard.serve());
    // Each with a descriptor of its own: without one, the winner would leave before the last has its verdict.
    const rivals = await Promise.all(
      Array.from({ length: 6 }, (_, index) => {
        const [instanceId, descriptor] = [`rival-${index}`, yard.at(`rival-${index}.json`)];
        writeFileSync(descriptor, JSON.stringify({ schema: 1, name: 'tested', instanceId }));
        return yard.launch({ instanceId, described: false, env: { DAEMONRY_DESCRIPTOR: descriptor } });
      }),
    );
    await Promise.all(rivals.map((rival) => waitFor('a verdict', () => rival.events().length > 0)));
    const verdicts = rivals.map((rival) => rival.events()[0]?.split(' ')[0]);
    expect(verdicts.filter((verdict) => verdict === 'serving')).toHaveLength(1);
    const winner = rivals[verdicts.indexOf('serving')] as ServedProcess;
    expect(await (await LineClient.open(yard.at('s'))).ask('system.hello')).toMatchObject({ result: { instanceId: winner.instanceId } });
    expect(readdirSync(yard.folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('never removes what is not a socket', async () => {
    const yard = newYard();
    writeFileSync(yard.at('s'), 'precious');
    expect(await refusal(yard, yard.at('s'))).toMatchObject({ code: 'socket-unusable', facts: { reason: 'not-a-socket' } });
    expect(readFileSync(yard.at('s'), 'utf8')).toBe('precious');
    symlinkSync(yard.at('elsewhere'), yard.at('link'));
    expect(await refusal(yard, yard.at('link'))).toMatchObject({ facts: { reason: 'not-a-socket' } });
    expect(lstatSync(yard.at('link')).isSymbolicLink()).toBe(true);
    expect(readdirSync(yard.folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a path that is too long is refused, the longest that fits is not (F28)', async () => {
    const yard = newYard();
    const longest = process.platform === 'linux' ? 107 : 103;
    const ofLength = (bytes: number) => yard.at('x'.repeat(bytes - yard.at('').length - 1));
    expect(await refusal(yard, ofLength(longest + 1))).toMatchObject({ code: 'socket-unusable', facts: { reason: 'too-long' } });
    const daemon = await yard.serve({ socket: ofLength(longest) });
    expect(await (await LineClient.open(daemon.socket)).ask('system.ping')).toMatchObject({ result: 'pong' });
  });

  test('a short name in the longest folder that fits', async () => {
    const yard = newYard();
    const longest = process.platform === 'linux' ? 107 : 103;
    const folder = yard.at('x'.repeat(longest - yard.at('').length - 3));
    const daemon = await yard.serve({ socket: `${folder}/s` });
    expect(Buffer.byteLength(daemon.socket)).toBe(longest);
    expect(readdirSync(folder)).toEqual(['s']);
  });

  test('a folder that can not be made is named with its errno', async () => {
    const yard = newYard();
    writeFileSync(yard.at('file'), '');
    expect(await refusal(yard, yard.at('file/folder/s'))).toMatchObject({
      code: 'socket-unusable',
      facts: { reason: 'failed', errno: 'ENOTDIR' },
    });
  });
});

describe('an instance that ends late', () => {
  test.each(['SIGTERM', 'SIGQUIT'] as const)("%s: does not remove its successor's socket (F30)", async (signal) => {
    const yard = newYard();
    const old = await yard.serve();
    // What a pinned socket looks like to an instance that was given up for dead: it does not miss its file meanwhile.
    old.kill('SIGSTOP');
    renameSync(old.socket, yard.at('aside'));
    const successor = await yard.serve();
    old.kill(signal);
    old.kill('SIGCONT');
    await old.end();
    expect(await (await LineClient.open(successor.socket)).ask('system.hello')).toMatchObject({
      result: { instanceId: successor.instanceId },
    });
    successor.kill('SIGTERM');
    expect(await successor.end()).toEqual(clean);
    expect(existsSync(successor.socket)).toBe(false);
  });
});

describe('a socket file that vanishes (F31)', () => {
  test('is made again, and who is connected stays connected', async () => {
    const yard = newYard();
    mkdirSync(yard.at('cleaned'));
    const daemon = await yard.serve({ socket: yard.at('cleaned/s') });
    const before = await LineClient.open(daemon.socket);
    await before.ask('system.ping');
    rmSync(yard.at('cleaned'), { recursive: true });
    await waitFor('the socket', () => existsSync(daemon.socket));
    expect(await (await LineClient.open(daemon.socket)).ask('system.ping')).toMatchObject({ result: 'pong' });
    expect(await before.ask('system.status')).toMatchObject({ result: { connections: 2 } });
    daemon.kill('SIGTERM');
    expect(await daemon.end()).toEqual(clean);
    expect(readdirSync(yard.at('cleaned'))).toEqual([]);
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { JsonRpcControlChannel } from '../../src/adapters/net/json-rpc-control-channel.js';
import { waitFor } from '../support/wait-for.js';
import { bundle } from './support/bundle.js';
import { usePeers } from './support/peers.js';
import { useYards } from './support/served-process.js';

const newYard = useYards();
const peers = usePeers();
const channel = new JsonRpcControlChannel();
const hello = { instanceId: 'i', name: 'n', version: null, protocol: 1 };

/** A peer that must be given up at once is given this long; none of these tests waits for it. */
const generousMs = 30_000;

describe('hello', () => {
  test('a daemon in a few lines of any language is understood, also a newer one (F51)', async () => {
    const path = await peers.greeting({ instanceId: 'i', name: 'n', protocol: 2, mood: 'good' });
    expect(await channel.hello(path, generousMs)).toEqual({ kind: 'hello', instanceId: 'i', name: 'n', version: null, protocol: 2 });
  });

  test('nobody: no file, a leftover, a file that is no socket, a path that is too long or empty', async () => {
    const yard = newYard();
    const daemon = await yard.serve();
    daemon.kill('SIGKILL');
    await daemon.end();
    writeFileSync(yard.at('file'), '');
    for (const path of [yard.at('none'), yard.at('none/s'), daemon.socket, yard.at('file'), yard.at('x'.repeat(200)), '']) {
      expect(await channel.hello(path, generousMs), path).toEqual({ kind: 'nobody' });
    }
  });

  test('a path that is too long does not reach the socket at its beginning (F28)', async () => {
    const yard = newYard();
    const longest = process.platform === 'linux' ? 107 : 103;
    const server = createServer().listen(yard.at('x'.repeat(longest + 1 - yard.at('').length - 1)));
    await new Promise((resolve) => server.once('listening', resolve));
    const [name = ''] = readdirSync(yard.folder);
    expect(await channel.hello(`${yard.at(name)}x`, generousMs)).toEqual({ kind: 'nobody' });
    server.close();
  });

  test.each([
    ['closes at once', () => peers.listen((peer) => peer.resume().end())],
    ['resets', () => peers.listen((peer) => peer.once('data', () => peer.destroy()))],
    ['greets in a language of its own', () => peers.listen((peer) => peer.resume().write('220 welcome\r\n'))],
    ['answers in another language', () => peers.listen((peer) => peer.once('data', () => peer.write('HTTP/1.1 400 Bad Request\r\n\r\n')))],
    ['sends bytes without an end', () => peers.listen((peer) => peer.resume().write(Buffer.alloc(3 * 1024 * 1024)))],
    [
      'answers with an error',
      () => peers.answering(({ id }, peer) => peer.write(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"?"}}\n`)),
    ],
    ['answers with a broken error', () => peers.answering(({ id }, peer) => peer.write(`{"jsonrpc":"2.0","id":${id},"error":"?"}\n`))],
    ['answers with null', () => peers.answering(({ id }, peer) => peer.write(`{"jsonrpc":"2.0","id":${id},"result":null}\n`))],
    ['answers with a batch', () => peers.answering(({ id }, peer) => peer.write(`[{"jsonrpc":"2.0","id":${id},"result":{}}]\n`))],
    ['has no instance', () => peers.greeting({ ...hello, instanceId: '' })],
    ['has no name', () => peers.greeting({ ...hello, name: undefined })],
    ['has a version that is none', () => peers.greeting({ ...hello, version: 1 })],
    ['has a protocol that is none', () => peers.greeting({ ...hello, protocol: '1' })],
  ])('other, at once: a peer that %s', async (_what, listen) => {
    expect(await channel.hello(await listen(), generousMs)).toEqual({ kind: 'other' });
    await waitFor('its connection to close', () => peers.connectionCount === 0);
  });

  test('does not shock a peer that is not of ours', async () => {
    const errors: string[] = [];
    const path = await peers.listen((peer) => {
      peer.on('error', (error) => errors.push(error.message));
      peer.resume().once('data', () => {
        for (let count = 0; count < 20; count++) setImmediate(() => peer.write(`${'x'.repeat(100_000)}\r\n`));
      });
    });
    expect(await channel.hello(path, generousMs)).toEqual({ kind: 'other' });
    await waitFor('its connection to close', () => peers.connectionCount === 0);
    expect(errors).toEqual([]);
  });

  test.each([
    ['is silent', () => peers.listen(() => {})],
    ['answers somebody else', () => peers.answering((_message, peer) => peer.write('{"jsonrpc":"2.0","id":99,"result":{}}\n'))],
    ['asks back', () => peers.listen((peer) => peer.write('{"jsonrpc":"2.0","id":1,"method":"who"}\n'))],
    ['drips', () => peers.listen((peer) => drip(peer))],
  ])('other, when the time is over: a peer that %s', async (_what, listen) => {
    const path = await listen();
    const began = performance.now();
    expect(await channel.hello(path, 200)).toEqual({ kind: 'other' });
    expect(performance.now() - began).toBeGreaterThanOrEqual(190);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test.runIf(process.getuid?.() === 0)("denied: a socket that is another user's (needs root, to become somebody else)", async () => {
    // Not in the run's own temporary folder, which nobody else may enter.
    const folder = mkdtempSync('/tmp/dy-');
    try {
      chmodSync(folder, 0o755);
      mkdirSync(`${folder}/locked`, { mode: 0o700 });
      const script = await bundle('test/serve/fixtures/say-hello.ts', `${folder}/say-hello.mjs`);
      const daemon = await newYard().serve({ socket: `${folder}/s` });
      const asked = (path: string) => {
        const { stdout, stderr } = spawnSync(process.execPath, [script, path, '1000'], { encoding: 'utf8', uid: 65534, gid: 65534 });
        return stderr || JSON.parse(stdout);
      };
      expect(asked(daemon.socket)).toEqual({ kind: 'denied' });
      expect(asked(`${folder}/locked/s`)).toEqual({ kind: 'denied' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ['answers', 60_000, async () => (await newYard().serve()).socket],
    ['is silent', 100, () => peers.listen(() => {})],
    ['is not there', 60_000, async () => '/no/such/socket'],
  ])('leaves no handle and no timer, when the peer %s', async (_what, timeoutMs, listen) => {
    const path = await listen();
    const script = await bundle('test/serve/fixtures/say-hello.ts', newYard().at('say-hello.mjs'));
    // Asynchronous, since the peer lives in this process. The program ends only by having nothing left to wait for.
    const child = spawn(process.execPath, [script, path, String(timeoutMs)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let answeredAt = 0;
    child.stdout.once('data', () => {
      answeredAt = performance.now();
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(0);
    // Far less than what it would wait for by a timer that was left.
    expect(performance.now() - answeredAt).toBeLessThan(20_000);
  });
});

describe('shutdown', () => {
  test('ends the instance that is meant', async () => {
    const daemon = await newYard().serve();
    expect(await channel.shutdown(daemon.socket, daemon.instanceId, generousMs)).toBe(true);
    expect(await daemon.end()).toEqual({ code: 0, signal: null });
  });

  test('asks on the connection on which the instance has proven itself', async () => {
    const connections: string[][] = [];
    const path = await peers.listen((peer) => {
      const methods: string[] = [];
      connections.push(methods);
      peer.on('data', (chunk: Buffer) => {
        const { id, method } = JSON.parse(String(chunk));
        methods.push(method);
        peer.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: method === 'system.hello' ? hello : true })}\n`);
      });
    });
    expect(await channel.shutdown(path, 'i', generousMs)).toBe(true);
    expect(connections).toEqual([['system.hello', 'system.shutdown']]);
  });

  test('null, or whatever is neither an error nor false, agrees', async () => {
    expect(await channel.shutdown(await peers.greeting(hello, null), 'i', generousMs)).toBe(true);
    expect(await channel.shutdown(await peers.greeting(hello, false), 'i', generousMs)).toBe(false);
  });

  test('false where nobody is there, it is refused, or no answer comes', async () => {
    const refusing = await peers.answering(({ id, method }, peer) =>
      peer.write(
        `${JSON.stringify({ jsonrpc: '2.0', id, ...(method === 'system.hello' ? { result: hello } : { error: { code: -32601, message: '?' } }) })}\n`,
      ),
    );
    const silent = await peers.answering(({ id, method }, peer) => {
      if (method === 'system.hello') peer.write(`${JSON.stringify({ jsonrpc: '2.0', id, result: hello })}\n`);
    });
    expect(await channel.shutdown('/no/such/socket', 'i', generousMs)).toBe(false);
    expect(await channel.shutdown(refusing, 'i', generousMs)).toBe(false);
    expect(await channel.shutdown(silent, 'i', 100)).toBe(false);
  });
});

function drip(peer: Socket): void {
  const timer = setInterval(() => peer.write(' '), 20);
  peer.once('close', () => clearInterval(timer));
}

import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isConnectedToItself } from '../../src/adapters/net/connects-locally.js';
import { NetReadinessProbe } from '../../src/adapters/net/net-readiness-probe.js';
import type { ReadySubject } from '../../src/domain/ports.js';
import { freePort } from '../support/free-port.js';
import { waitFor } from '../support/wait-for.js';

let folder: string;
const servers: (Server | HttpServer)[] = [];
const peers: Socket[] = [];
const ownAddresses = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
const probe = new NetReadinessProbe((pid) => pid === 42);
const subject = (facts: Partial<ReadySubject> = {}): ReadySubject => ({
  pid: 42,
  socket: null,
  log: join(folder, 'log'),
  logOffset: 0,
  notifyFile: null,
  ...facts,
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dy-'));
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

async function listening<T extends Server | HttpServer>(server: T, ...where: [string] | [number, string]): Promise<T> {
  servers.push(server);
  server.on('connection', (peer: Socket) => peers.push(peer));
  await new Promise<void>((resolve) => server.listen(...(where as [number, string]), resolve));
  return server;
}

const portOf = (server: Server | HttpServer) => (server.address() as AddressInfo).port;

describe('exec', () => {
  test('is what the platform says of the pid', async () => {
    expect(await probe.check({ kind: 'exec' }, subject())).toBe(true);
    expect(await probe.check({ kind: 'exec' }, subject({ pid: 43 }))).toBe(false);
  });
});

describe('socket', () => {
  const socket = () => join(folder, 's');

  test('a connect suffices', async () => {
    await listening(createServer(), socket());
    expect(await probe.check({ kind: 'socket' }, subject({ socket: socket() }))).toBe(true);
  });

  test('nobody there, nobody listening, no socket, a path that is too long: not ready', async () => {
    expect(await probe.check({ kind: 'socket' }, subject({ socket: socket() }))).toBe(false);
    writeFileSync(socket(), '');
    expect(await probe.check({ kind: 'socket' }, subject({ socket: socket() }))).toBe(false);
    expect(await probe.check({ kind: 'socket' }, subject())).toBe(false);
    expect(await probe.check({ kind: 'socket' }, subject({ socket: `/${'x'.repeat(200)}` }))).toBe(false);
  });

  test('does not shock a daemon that greets whoever connects', async () => {
    let closed = 0;
    // No listener for 'error': it would throw.
    const server = createServer((peer) => {
      peer.once('close', () => closed++);
      peer.resume();
      setImmediate(() => peer.write('220 welcome\r\n'));
    });
    await listening(server, socket());
    for (let count = 1; count <= 20; count++) {
      expect(await probe.check({ kind: 'socket' }, subject({ socket: socket() }))).toBe(true);
    }
    await waitFor('all connections to close', () => closed === 20);
  });
});

describe('port', () => {
  for (const host of ['127.0.0.1', '::1']) {
    test.skipIf(!ownAddresses.includes(host))(`something listens on ${host} (needs that address)`, async () => {
      const server = await listening(createServer(), 0, host);
      expect(await probe.check({ kind: 'port', port: portOf(server) }, subject())).toBe(true);
    });
  }

  test('nothing listens: not ready', async () => {
    expect(await probe.check({ kind: 'port', port: await freePort() }, subject())).toBe(false);
  });

  test('a connection that met itself is known for what it is', async () => {
    const port = await freePort();
    const itself = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: port });
    await new Promise((resolve, reject) => itself.once('connect', resolve).once('error', reject));
    expect(isConnectedToItself(itself)).toBe(true);
    itself.resetAndDestroy();
    const server = await listening(createServer(), 0, '127.0.0.1');
    const other = connect({ host: '127.0.0.1', port: portOf(server) });
    await new Promise((resolve, reject) => other.once('connect', resolve).once('error', reject));
    expect(isConnectedToItself(other)).toBe(false);
    other.destroy();
  });
});

describe('http', () => {
  async function answering(status: number, headers: Record<string, string> = {}): Promise<string> {
    const server = await listening(
      createHttpServer((_request, response) => response.writeHead(status, headers).end('body')),
      0,
      '127.0.0.1',
    );
    return `http://127.0.0.1:${portOf(server)}/ready`;
  }

  test.each([
    [200, true],
    [204, true],
    [299, true],
    [301, false],
    [404, false],
    [500, false],
  ])('%i: %s', async (status, ready) => {
    expect(await probe.check({ kind: 'http', url: await answering(status) }, subject())).toBe(ready);
  });

  test('a redirect is not followed', async () => {
    const there = await answering(200);
    expect(await probe.check({ kind: 'http', url: await answering(302, { location: there }) }, subject())).toBe(false);
  });

  test('a name is resolved', async () => {
    const url = (await answering(200)).replace('127.0.0.1', 'localhost');
    expect(await probe.check({ kind: 'http', url }, subject())).toBe(true);
  });

  test('nobody, a peer that says nothing, one that speaks something else: not ready, after a while', async () => {
    const silent = await listening(createServer(), 0, '127.0.0.1');
    const mail = await listening(
      createServer((peer) => peer.on('error', () => {}).end('220 welcome\r\n')),
      0,
      '127.0.0.1',
    );
    expect(await probe.check({ kind: 'http', url: 'http://127.0.0.1:1/' }, subject())).toBe(false);
    expect(await probe.check({ kind: 'http', url: `http://127.0.0.1:${portOf(mail)}/` }, subject())).toBe(false);
    expect(await probe.check({ kind: 'http', url: `http://127.0.0.1:${portOf(silent)}/` }, subject())).toBe(false);
    expect(await probe.check({ kind: 'http', url: 'ftp://127.0.0.1/' }, subject())).toBe(false);
    expect(await probe.check({ kind: 'http', url: 'http://' }, subject())).toBe(false);
  });

  test('a body without an end does not keep it waiting', async () => {
    let closed = false;
    const server = await listening(
      createHttpServer((_request, response) => {
        const writing = setInterval(() => response.write('more'), 5);
        response.once('close', () => {
          clearInterval(writing);
          closed = true;
        });
        response.flushHeaders();
      }),
      0,
      '127.0.0.1',
    );
    expect(await probe.check({ kind: 'http', url: `http://127.0.0.1:${portOf(server)}/` }, subject())).toBe(true);
    await waitFor('the connection to close', () => closed);
  });
});

describe('log', () => {
  const log = () => join(folder, 'log');
  const check = (pattern: string, facts: Partial<ReadySubject> = {}) => probe.check({ kind: 'log', pattern }, subject(facts));

  test('matches a complete line without its newline', async () => {
    expect(await check('^ready$')).toBe(false);
    writeFileSync(log(), 'starting\nready');
    expect(await check('^ready$')).toBe(false);
    appendFileSync(log(), '\n');
    expect(await check('^ready$')).toBe(true);
    expect(await check('^ready$')).toBe(true);
    expect(await check('starting\\nready')).toBe(false);
  });

  test('a line of a Windows program ends without its carriage return', async () => {
    writeFileSync(log(), 'ready\r\n');
    expect(await check('^ready$')).toBe(true);
  });

  test('what was there before this instance does not count', async () => {
    writeFileSync(log(), 'ready\nold remains');
    expect(await check('ready', { logOffset: 17 })).toBe(false);
    appendFileSync(log(), 'new: ready\n');
    expect(await check('^new: ready$', { logOffset: 17 })).toBe(true);
  });

  test('reads on from where it stopped, through lines and characters cut in two', async () => {
    const bytes = Buffer.from('grün\nbereit €\n');
    writeFileSync(log(), '');
    for (const [index, byte] of bytes.entries()) {
      expect(await check('^bereit €$')).toBe(false);
      appendFileSync(log(), Buffer.of(byte));
      if (index < bytes.length - 1) expect(await check('^bereit €$')).toBe(false);
    }
    expect(await check('^bereit €$')).toBe(true);
  });

  test('two patterns on one log do not take lines from each other', async () => {
    writeFileSync(log(), 'one\ntwo\n');
    expect(await check('three')).toBe(false);
    expect(await check('one')).toBe(true);
    expect(await check('two')).toBe(true);
  });

  test('a log that is shorter than what was read is read from its beginning', async () => {
    writeFileSync(log(), 'a long line of an earlier time\n');
    expect(await check('ready')).toBe(false);
    truncateSync(log(), 0);
    expect(await check('ready')).toBe(false);
    appendFileSync(log(), 'ready\n');
    expect(await check('ready')).toBe(true);
  });

  test('a log that was replaced by another file is read from its beginning', async () => {
    writeFileSync(log(), 'one\n');
    expect(await check('ready')).toBe(false);
    renameSync(log(), join(folder, 'log.1'));
    expect(await check('ready')).toBe(false);
    writeFileSync(log(), 'ready\nand much more than was there before\n');
    expect(await check('ready')).toBe(true);
  });

  test('a log that is shorter than its offset is read from its beginning', async () => {
    writeFileSync(log(), 'ready\n');
    expect(await check('ready', { logOffset: 1_000 })).toBe(true);
  });

  test('an endless line is held up to its bound, and matched by its beginning', async () => {
    writeFileSync(log(), `begin ${'x'.repeat(3 * 1024 * 1024)}`);
    expect(await check('^begin')).toBe(false);
    appendFileSync(log(), ' end\nready\n');
    expect(await check(' end$')).toBe(false);
    expect(await check('^begin')).toBe(true);
    expect(await check('^ready$')).toBe(true);
  });

  test('a log of many megabytes is read in several checks', async () => {
    writeFileSync(log(), `${'x'.repeat(99)}\n`.repeat(100_000));
    appendFileSync(log(), 'ready\n');
    expect(await check('^ready$')).toBe(false);
    await waitFor('the line', async () => check('^ready$'));
  });

  test('what is no file does not keep it waiting', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(await check('ready', { log: join(folder, 'pipe') })).toBe(false);
    expect(await check('ready', { log: folder })).toBe(false);
    expect(await check('(', {})).toBe(false);
  });
});

describe('notify', () => {
  test('a byte in the file', async () => {
    const notifyFile = join(folder, 'notify');
    expect(await probe.check({ kind: 'notify' }, subject({ notifyFile }))).toBe(false);
    writeFileSync(notifyFile, '');
    expect(await probe.check({ kind: 'notify' }, subject({ notifyFile }))).toBe(false);
    appendFileSync(notifyFile, '\n');
    expect(await probe.check({ kind: 'notify' }, subject({ notifyFile }))).toBe(true);
    expect(await probe.check({ kind: 'notify' }, subject())).toBe(false);
    expect(await probe.check({ kind: 'notify' }, subject({ notifyFile: `${notifyFile}/x` }))).toBe(false);
  });
});

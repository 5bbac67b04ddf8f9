import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maxLineBytes } from '../../../src/adapters/net/message-lines.js';
import { LineClient } from '../../serve/support/line-client.js';
import { type ServedProcess, useYards } from '../../serve/support/served-process.js';
import { waitFor } from '../../support/wait-for.js';
import { fc, runs } from '../support/fuzz.js';
import { anyContent, anyHostileJson, nesting } from '../support/mutations.js';
import { peakBytes, RawPeer } from '../support/raw-peer.js';

const newYard = useYards();
const mebibyte = 1024 * 1024;
const gigabyte = 1024 * mebibyte;
/** How much more memory than an idle daemon's any peer may cost. */
const mostMoreBytes = 64 * mebibyte;

let daemon: ServedProcess;
let other: LineClient;
let idleBytes: number;
const peers: RawPeer[] = [];

async function ping(): Promise<void> {
  expect(await other.ask('system.ping')).toMatchObject({ result: 'pong' });
}

async function openPeer(): Promise<RawPeer> {
  const peer = await RawPeer.open(daemon.socket);
  peers.push(peer);
  return peer;
}

const line = (message: unknown) => Buffer.from(`${JSON.stringify(message)}\n`);
const request = (id: number, method: string, params?: unknown) => line({ jsonrpc: '2.0', id, method, params });
const repeated = (bytes: Buffer, length = 64 * 1024) => Buffer.concat(Array(Math.ceil(length / bytes.length)).fill(bytes));

/** Asks over and over, for as long as something else goes on. */
async function pingDuring(work: Promise<unknown>): Promise<void> {
  let isOver = false;
  const done = work.finally(() => {
    isOver = true;
  });
  do await ping();
  while (!isOver);
  await done;
}

describe('a served daemon and a peer that', () => {
  beforeEach(async () => {
    daemon = await newYard().serve();
    other = await LineClient.open(daemon.socket);
    await ping();
    idleBytes = peakBytes(daemon.pid);
  });

  /** Whatever a peer did: others are served, no memory was lost to it, and the daemon ends well. */
  afterEach(async () => {
    await ping();
    expect((peakBytes(daemon.pid) - idleBytes) / mebibyte).toBeLessThan(mostMoreBytes / mebibyte);
    for (const peer of peers.splice(0)) peer.socket.destroy();
    await waitFor('all of them to be let go', async () => (await other.ask('connections')).result === 1);
    daemon.kill('SIGTERM');
    expect([await daemon.end(), daemon.stderr]).toEqual([{ code: 0, signal: null }, '']);
  });

  test('sends a gigabyte without a newline: is cut off after a few MiB', async () => {
    const peer = await openPeer();
    await pingDuring(peer.pour(Buffer.alloc(mebibyte, 'x'), gigabyte));
    await peer.whenClosed();
    expect(peer.sentBytes).toBeLessThan(maxLineBytes + 32 * mebibyte);
  });

  test('sends binary without an end: is cut off too', async () => {
    const peer = await openPeer();
    peer.socket.resume();
    await pingDuring(peer.pour(Buffer.alloc(mebibyte, Buffer.from([0, 0xff, 0xfe, 0xc3, 0x28])), gigabyte));
    await peer.whenClosed();
    expect(peer.sentBytes).toBeLessThan(maxLineBytes + 32 * mebibyte);
  });

  test('comes three hundred times and says nothing: is borne', async () => {
    await Promise.all(Array.from({ length: 300 }, openPeer));
    await waitFor('all of them to be accepted', async () => (await other.ask('connections')).result === 301);
  });

  test.each([
    ['asks', request(1, 'system.status')],
    ['asks for an echo of 100 KB', request(1, 'echo', ['x'.repeat(100 * 1024)])],
    ['sends what is no message', Buffer.from('1\n')],
  ])('%s and never reads: is no longer read either, and gets every answer once it does', async (_what, bytes) => {
    const peer = await openPeer();
    const chunk = repeated(bytes, 16 * 1024);
    // Until the daemon has taken nothing more while it answered others ten times.
    let [seen, pings] = [0, 0];
    await pingDuring(
      peer.pour(chunk, 256 * mebibyte, () => {
        if (peer.sentBytes > seen) [seen, pings] = [peer.sentBytes, other.lines.length];
        return other.lines.length > pings + 10;
      }),
    );
    expect(peer.closed).toBe(false);
    expect(peer.sentBytes).toBeLessThan(256 * mebibyte);
    let answers = 0;
    peer.socket.on('data', (data: Buffer) => {
      for (const byte of data) if (byte === 0x0a) answers++;
    });
    peer.socket.resume().end();
    const asked = Math.floor(peer.socket.bytesWritten / bytes.length);
    // One more: the greeting.
    await waitFor(
      () => `${asked + 1} answers; it got ${answers}`,
      () => answers >= asked + 1 || peer.closed,
    );
    expect(answers).toBe(asked + 1);
  });

  test('says all it has to say before it reads the first answer: is not held up by three MiB of them', async () => {
    const peer = await openPeer();
    const asking = request(1, 'echo', ['x'.repeat(100 * 1024)]);
    await peer.pour(asking, 30 * asking.length);
    await waitFor('all of it to be taken', () => peer.sentBytes === 30 * asking.length);
    let [answers, received] = [0, 0];
    peer.socket.on('data', (data: Buffer) => {
      received += data.length;
      if (data.includes(0x0a)) answers++;
    });
    peer.socket.resume().end();
    await waitFor('all answers', () => received >= 30 * 100 * 1024 && answers > 0 && peer.socket.readableEnded);
  });

  test('has more under way than a daemon can hold: is refused what is too much', async () => {
    const client = await LineClient.open(daemon.socket);
    for (let id = 0; id < 100; id++) client.socket.write(request(id, 'never', 'x'.repeat(maxLineBytes - 100).split(' ')));
    expect(await client.next()).toMatchObject({ error: { code: -32_001 } });
    expect(await client.next()).toMatchObject({ error: { code: -32_001 } });
    client.socket.destroy();
  });

  test('opens, says half a word and is gone, three hundred times: costs nothing', async () => {
    for (let round = 0; round < 10; round++) {
      const gone = await Promise.all(Array.from({ length: 30 }, openPeer));
      for (const [index, { socket }] of gone.entries()) {
        if (index % 3 !== 0) socket.write(index % 3 === 1 ? '{"jsonrpc":"2.0","id":1,' : repeated(request(1, 'system.status')));
        if (index % 2 === 0) socket.destroy();
        else socket.end();
      }
    }
    await ping();
  });

  test('says all it has to say a byte at a time: is answered', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => LineClient.open(daemon.socket)));
    const bytes = request(7, 'echo', ['ä€😀']);
    for (const byte of bytes) for (const { socket } of clients) await new Promise((sent) => socket.write(Buffer.of(byte), sent));
    for (const client of clients) expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 7, result: ['ä€😀'] });
    for (const { socket } of clients) socket.destroy();
  });

  test('floods it with notifications and tiny lines, and reads: is answered where it asked', async () => {
    const client = await LineClient.open(daemon.socket);
    const notification = line({ jsonrpc: '2.0', method: 'nothing' });
    const blanks = Buffer.alloc(64 * 1024, '\n');
    await pingDuring(
      (async () => {
        for (let round = 0; round < 10; round++) {
          for (const chunk of [repeated(notification), blanks, repeated(line({ jsonrpc: '2.0', method: '__proto__' }))]) {
            await new Promise((sent) => client.socket.write(chunk, sent));
          }
        }
      })(),
    );
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
    expect(client.lines).toHaveLength(1);
    client.socket.destroy();
  });

  test('nests its question a hundred thousand deep: is answered', async () => {
    const client = await LineClient.open(daemon.socket);
    const deep = `${'['.repeat(nesting)}${']'.repeat(nesting)}`;
    client.send('['.repeat(nesting));
    expect(await client.next()).toMatchObject({ id: null, error: { code: -32_700 } });
    for (const method of ['echo', 'system.ping', 'fail', '__proto__']) {
      client.send(`{"jsonrpc":"2.0","id":1,"method":"${method}","params":${deep}}`);
      expect(await client.next()).toMatchObject({ id: 1 });
    }
    client.socket.destroy();
  });

  test('sends anything at all: gets one answer to each line at the most, and to its next question', async () => {
    const methods = ['echo', 'nothing', 'fail', 'failWithCode', 'failWithText', 'circular', 'big', 'connections', 'whoami'];
    const admin = ['system.hello', 'system.version', 'system.ping', 'system.status', 'system.reload', 'system.other'];
    const anyMethod = fc.constantFrom(...methods, ...admin, '__proto__', 'constructor', 'toString', '');
    const asking = fc.record({ method: anyMethod, params: anyHostileJson, id: anyHostileJson }).map(({ method, params, id }) => {
      return Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(method)},"params":${params}}`);
    });
    const anyLine = fc.oneof(
      asking,
      anyContent({ jsonrpc: '2.0', id: 1, method: 'echo', params: [1] }),
      anyContent({ jsonrpc: '2.0', id: 1, result: 1 }),
      anyContent({ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'm' } }),
    );
    const client = await LineClient.open(daemon.socket);
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { maxLength: 8 }), fc.integer({ min: 1, max: 5_000 }), async (lines, cut) => {
        const bytes = Buffer.concat(lines.flatMap((each) => [each, Buffer.from('\n')]));
        // Mutated until it asks the daemon to end: that is another test.
        fc.pre(!/shutdown|"(stop|exit|flood|never|afterRelease|askBack)"/.test(bytes.toString()));
        const [before, id] = [client.lines.length, `mark ${number++}`];
        client.socket.write(bytes.subarray(0, cut));
        client.socket.write(bytes.subarray(cut));
        client.send({ jsonrpc: '2.0', id, method: 'echo', params: [id] });
        await waitFor(`the answer to ${id}`, () => client.lines.slice(before).some((text) => text.includes(id)) || client.closed);
        const answers = client.lines.slice(before).map((text) => JSON.parse(text));
        expect(client.closed).toBe(false);
        const mostAnswers = bytes.toString('latin1').split('\n').length;
        expect(answers.length).toBeLessThanOrEqual(mostAnswers);
        for (const answer of answers) expect(answer).toMatchObject({ jsonrpc: '2.0' });
      }),
      runs(100),
    );
    client.socket.destroy();
  });
});

describe('system.shutdown', () => {
  const deep = `${'['.repeat(nesting)}${']'.repeat(nesting)}`;

  test.each([
    ['no params', ''],
    ['garbage', ',"params":{"__proto__":{"polluted":1},"code":1e400,"when":"never"}'],
    ['params a hundred thousand deep', `,"params":${deep}`],
    ['a key twice', ',"params":[],"params":{},"method":"system.shutdown"'],
  ])('with %s: answers, then ends with 0', async (_what, params) => {
    const ended = await newYard().serve();
    const client = await LineClient.open(ended.socket);
    client.send(`{"jsonrpc":"2.0","id":1,"method":"system.shutdown"${params}}`);
    expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 1, result: true });
    expect(await ended.end()).toEqual({ code: 0, signal: null });
  });

  test('that is no request of it is refused, and nothing ends', async () => {
    const asked = await newYard().serve();
    const client = await LineClient.open(asked.socket);
    for (const text of [
      '{"jsonrpc":"2.0","id":1,"method":"system.shutdown","params":"now"}',
      '{"jsonrpc":"2.0","id":{},"method":"system.shutdown"}',
      '{"jsonrpc":"1.0","id":1,"method":"system.shutdown"}',
      '{"jsonrpc":"2.0","id":1,"method":"system.shutdown\\u0000"}',
      '[{"jsonrpc":"2.0","id":1,"method":"system.shutdown"}]',
    ]) {
      client.send(text);
      expect(await client.next(), text).toMatchObject({ error: { code: expect.any(Number) } });
    }
    expect(await client.ask('system.ping')).toMatchObject({ result: 'pong' });
    expect(asked.events().filter((event) => event.startsWith('stop'))).toEqual([]);
    client.socket.destroy();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { JsonRpcControlChannel } from '../../../src/adapters/net/json-rpc-control-channel.js';
import { NetReadinessProbe } from '../../../src/adapters/net/net-readiness-probe.js';
import { openConnection } from '../../../src/app/embed/connection.js';
import { usePeers } from '../../serve/support/peers.js';
import { loadLibrary } from '../../support/library.js';
import { isAlive } from '../../support/processes.js';
import { test as homeTest, type TemporaryHome } from '../../support/temporary-home.js';
import { waitFor } from '../../support/wait-for.js';
import { codeOf, fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent } from '../support/mutations.js';

const { defineDaemon, isDaemonError } = loadLibrary();
const peers = usePeers();
const channel = new JsonRpcControlChannel();
const mebibyte = 1024 * 1024;
const hello = { instanceId: 'i', name: 'n', version: null, protocol: 1 };

/** A lie that leads nowhere is waited for so long. */
const patienceMs = 60;

type Lie = {
  readonly parts: readonly Buffer[];
  readonly when: 'at once' | 'when asked';
  readonly afterwards: 'stays' | 'ends' | 'is gone';
};

const anyAnswer = fc.oneof(
  anyContent({ jsonrpc: '2.0', id: 1, result: hello }),
  anyContent({ jsonrpc: '2.0', id: 1, error: { code: -32_601, message: 'm' } }),
  anyContent({ jsonrpc: '2.0', id: 1, method: 'who', params: [] }),
  fc.constant(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, result: hello }))),
);
const anyLie: fc.Arbitrary<Lie> = fc.record({
  parts: fc.array(
    fc.tuple(anyAnswer, fc.constantFrom('\n', '\n\n', '\r\n', '')).map(([bytes, end]) => Buffer.concat([bytes, Buffer.from(end)])),
    { maxLength: 4 },
  ),
  when: fc.constantFrom('at once', 'when asked'),
  afterwards: fc.constantFrom('stays', 'ends', 'ends', 'is gone', 'is gone'),
});

function tell({ parts, afterwards }: Lie, socket: Socket): void {
  for (const part of parts) socket.write(part);
  if (afterwards === 'ends') socket.end();
  if (afterwards === 'is gone') socket.destroySoon();
}

describe('a peer that says anything at all', () => {
  test('to hello, to shutdown and to a handshake: comes to an outcome or a code, in time', async () => {
    let lie: Lie | undefined;
    const path = await peers.listen((socket) => {
      const told = lie as Lie;
      if (told.when === 'at once') tell(told, socket.resume());
      else socket.once('data', () => tell(told, socket));
    });
    await fc.assert(
      fc.asyncProperty(anyLie, async (next) => {
        lie = next;
        const [greeted, agreed, connected] = await Promise.all([
          channel.hello(path, patienceMs),
          channel.shutdown(path, 'i', patienceMs),
          openConnection(path, { timeoutMs: patienceMs }).then(
            (connection) => {
              connection.close();
              return connection.hello;
            },
            (error) => codeOf(error),
          ),
        ]);
        expect(['hello', 'other', 'nobody']).toContain(greeted.kind);
        if (greeted.kind === 'hello') expect([typeof greeted.instanceId, typeof greeted.name]).toEqual(['string', 'string']);
        expect(typeof agreed).toBe('boolean');
        if (typeof connected === 'string') expect(['not-serving', 'protocol-error']).toContain(connected);
        else expect(connected.instanceId).not.toBe('');
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(60),
    );
    await waitFor('its connections to close', () => peers.connectionCount === 0);
  });

  test.each(['from the start', 'as its answer'])('without an end, %s: is left after a few MiB', async (when) => {
    const sent: number[] = [];
    const path = await peers.listen((socket) => {
      const block = Buffer.alloc(mebibyte, 'x');
      const more = () => {
        while (!socket.destroyed && socket.bytesWritten < 1024 * mebibyte && socket.write(block));
      };
      socket.on('drain', more).once('close', () => sent.push(socket.bytesWritten));
      if (when === 'from the start') more();
      else socket.once('data', () => socket.write('{"jsonrpc":"2.0","id":1,"result":"') && more());
      socket.resume();
    });
    expect(await channel.hello(path, 30_000)).toEqual({ kind: 'other' });
    await expect(openConnection(path, { timeoutMs: 30_000 })).rejects.toMatchObject({ code: 'protocol-error' });
    await waitFor('both connections to close', () => sent.length === 2);
    for (const bytes of sent) expect(bytes).toBeLessThan(32 * mebibyte);
  });
});

describe('a readiness probe', () => {
  test('of a peer that pours at once: is ready, and leaves it after a few MiB', async () => {
    let sent: number | undefined;
    // It goes on when it is told that nobody listens any more.
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const block = Buffer.alloc(mebibyte, 'x');
      const more = () => {
        while (!socket.destroyed && socket.bytesWritten < 1024 * mebibyte && socket.write(block));
      };
      socket.on('error', () => {}).on('drain', more);
      socket.once('close', () => {
        sent = socket.bytesWritten;
      });
      more();
    });
    const folder = mkdtempSync(join(tmpdir(), 'dy-'));
    const path = join(folder, 's');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const subject = { pid: process.pid, socket: path, log: '/dev/null', logOffset: 0, notifyFile: null };
    expect(await new NetReadinessProbe(() => false).check({ kind: 'socket' }, subject)).toBe(true);
    await waitFor('its connection to close', () => sent !== undefined);
    server.close();
    rmSync(folder, { recursive: true });
    expect(sent).toBeLessThan(32 * mebibyte);
  });
});

/** What `connect` comes to with each lie: a code, or a connection. */
const outcomes: Readonly<Record<string, string>> = {
  silent: 'not-serving',
  endless: 'protocol-error',
  endlessAnswer: 'protocol-error',
  binary: 'protocol-error',
  wrongId: 'not-serving',
  wrongTypes: 'protocol-error',
  closes: 'not-serving',
  resets: 'not-serving',
  floods: 'not-serving',
  impostor: 'not-serving',
  early: 'connected',
  twice: 'connected',
  unfaithful: 'connected',
};

describe.concurrent('a daemon that lies', () => {
  const liar = (home: TemporaryHome, lie: string) =>
    defineDaemon({
      name: 'liar',
      command: process.execPath,
      args: [join(import.meta.dirname, '../support/lies.mjs'), lie],
      ready: 'socket',
      cwd: home.folder,
      home: home.path,
    });

  for (const [lie, outcome] of Object.entries(outcomes)) {
    homeTest(`${lie}: is found, told of and stopped all the same`, async ({ home }) => {
      const daemon = liar(home, lie);
      const { pid } = await daemon.start();
      expect(await daemon.status()).toMatchObject({ status: 'running', pid });
      expect(await daemon.ensure()).toMatchObject({ outcome: 'already-running', pid });
      // Only what leads nowhere is waited for.
      const connected = await daemon.connect({ timeoutMs: outcome === 'not-serving' ? 150 : 30_000 }).then(
        (connection) => {
          connection.close();
          return 'connected';
        },
        (error) => (isDaemonError(error) ? error.code : String(error)),
      );
      expect(connected).toBe(outcome);
      // Whatever is not false agrees to end.
      const agrees = lie === 'twice' || lie === 'unfaithful';
      const { outcome: stopped } = await daemon.stop({ graceMs: agrees ? 50 : 10_000 });
      // An agreement that comes too late, on a busy machine, is none: then the signal is obeyed.
      expect(agrees ? ['killed', 'stopped'] : ['stopped']).toContain(stopped);
      expect(isAlive(pid)).toBe(false);
      expect(home.filesOf('liar')).not.toContain('daemon.json');
    });
  }
});

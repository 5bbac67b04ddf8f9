import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { othersAreSeen, othersCanRun, otherUser } from '../support/other-user.js';
import { isAlive, untilDead } from '../support/processes.js';
import { fixture, libraryFile, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const { defineDaemon } = loadLibrary();

function server(home: TemporaryHome, options: Partial<DaemonOptions> = {}) {
  const args = [fixture('serves.mjs'), serveFile, JSON.stringify({ version: '2.1.0' })];
  return defineDaemon({ name: 'acme', command: process.execPath, args, version: '2.1.0', cwd: home.folder, home: home.path, ...options });
}

describe.concurrent('connect', () => {
  test('starts the daemon, shakes hands and asks over the wire', async ({ home }) => {
    const daemon = server(home, { ready: 'socket' });
    const connection = await daemon.connect();
    const { pid, instanceId } = home.descriptor('acme');
    expect(connection.hello).toMatchObject({ name: 'acme', instanceId, version: '2.1.0', protocol: expect.any(Number) });
    expect(await connection.request('system.version')).toBe('2.1.0');
    expect(await connection.request('echo', { any: ['thing'] })).toEqual({ any: ['thing'] });
    await expect(connection.request('no.such.method')).rejects.toMatchObject({ code: -32601 });
    connection.close();
    expect(isAlive(pid)).toBe(true);
  });

  test('waits until a daemon listens that counts as ready sooner', async ({ home }) => {
    const connection = await server(home).connect();
    expect(await connection.request('system.ping')).toBeDefined();
    connection.close();
  });

  test('to a running daemon starts no other', async ({ home }) => {
    const { pid } = await server(home, { ready: 'socket' }).start();
    const connections = await Promise.all([server(home).connect(), server(home).connect()]);
    expect(connections.map(({ hello }) => hello.instanceId)).toEqual(Array(2).fill(home.descriptor('acme').instanceId));
    expect(home.processes()).toMatchObject([{ pid }]);
    for (const connection of connections) connection.close();
  });

  test('tells when the daemon goes, and fails what waits for an answer', async ({ home }) => {
    const daemon = server(home, { ready: 'socket' });
    const connection = await daemon.connect();
    connection.ref();
    const closed = new Promise<void>((resolve) => connection.onClose(resolve));
    const { pid } = home.descriptor('acme');
    process.kill(pid, 'SIGKILL');
    await closed;
    await expect(connection.request('system.ping')).rejects.toMatchObject({ code: 'not-serving' });
    await untilDead(pid);
  });

  test('fails with not-serving where the daemon listens to nobody, and leaves it running', async ({ home }) => {
    const daemon = server(home, { command: 'sleep', args: ['1000'] });
    await expect(daemon.connect({ timeoutMs: 100 })).rejects.toMatchObject({ code: 'not-serving', facts: { name: 'acme' } });
    expect((await daemon.status()).status).toBe('running');
  });

  test('to a daemon that is frozen fails in time, starts no other, and succeeds once it goes on (F15)', async ({ home }) => {
    const daemon = server(home, { ready: 'socket' });
    const { pid, instanceId } = await daemon.start();
    process.kill(pid, 'SIGSTOP');
    await expect(daemon.connect({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'not-serving' });
    expect(await daemon.ensure()).toMatchObject({ outcome: 'already-running', pid });
    expect(await daemon.status()).toMatchObject({ status: 'running', phase: 'ready', pid });
    process.kill(pid, 'SIGCONT');
    const connection = await daemon.connect();
    expect(connection.hello.instanceId).toBe(instanceId);
    expect(home.processes()).toMatchObject([{ pid }]);
    connection.close();
  });

  test('to a daemon whose socket was removed waits until it is there again, and starts no other (F31)', async ({ home }) => {
    const daemon = server(home, { ready: 'socket' });
    const { pid, instanceId, socket } = await daemon.start();
    rmSync(socket as string);
    const connection = await daemon.connect();
    expect(connection.hello.instanceId).toBe(instanceId);
    expect(home.processes()).toMatchObject([{ pid }]);
    connection.close();
  });

  test('to a daemon that ends whenever it is idle succeeds every time (F53)', async ({ home }) => {
    const idle = 600;
    const daemon = server(home, {
      ready: 'socket',
      args: [fixture('serves.mjs'), serveFile, JSON.stringify({ version: '2.1.0', idle })],
    });
    const instances = new Set<string>();
    for (let round = 0; round < 7; round++) {
      const connection = await daemon.connect();
      expect(await connection.request('echo', { round })).toEqual({ round });
      instances.add(connection.hello.instanceId);
      connection.close();
      // Ever later: before it wants to end, while it does, after it has.
      const since = performance.now();
      await waitFor('a moment', () => performance.now() - since >= idle - 6 + 2 * round);
    }
    // However busy the machine has kept it: at last it has ended.
    await waitFor('it to leave', async () => (await daemon.status()).status === 'stopped');
    const connection = await daemon.connect();
    expect(instances.has(connection.hello.instanceId)).toBe(false);
    connection.close();
    await daemon.stop();
  });

  test.skipIf(!othersCanRun)(
    'where the system denies it fails at once with the errno, and starts no other (F9; needs root, and a project that others may read)',
    async ({ home, skip }) => {
      if (!othersAreSeen) skip("needs the right to look into another user's process");
      chmodSync(home.folder, 0o755);
      mkdirSync(home.path, { mode: 0o700 });
      chownSync(home.path, otherUser, otherUser);
      const args = [fixture('serves.mjs'), serveFile];
      const options = {
        name: 'acme',
        command: process.execPath,
        args,
        ready: 'socket',
        cwd: '/',
        home: home.path,
        readyTimeoutMs: 600_000,
      };
      const inHost = (calls: string) => {
        const program = `import(${JSON.stringify(libraryFile)}).then(async ({ defineDaemon }) => {
          const daemon = defineDaemon(${JSON.stringify(options)});
          console.log(JSON.stringify(await ${calls}));
        })`;
        return home.spawn(process.execPath, ['-e', program], { uid: otherUser, gid: otherUser, cwd: '/' }).end();
      };
      const { pid, socket } = (await inHost('daemon.start()')).json;
      // What a sandbox does to connect(2), a socket of somebody else does too.
      chownSync(socket, 0, 0);
      const denied = await inHost('daemon.connect().catch(({ code, facts }) => ({ code, facts }))');
      expect(denied.json).toEqual({ code: 'not-permitted', facts: { path: socket, errno: 'EACCES' } });
      expect((await inHost('daemon.ensure()')).json).toMatchObject({ outcome: 'already-running', pid });
      expect(home.processes()).toMatchObject([{ pid }]);
      expect((await inHost('daemon.stop()')).json).toMatchObject({ outcome: 'stopped', pid });
    },
  );

  test('fails with protocol-error where something else answers', async ({ home }) => {
    const script = 'require("net").createServer((s) => s.on("error", () => {}).end("SSH-2.0-x\\n")).listen(process.env.DAEMONRY_SOCKET)';
    const daemon = server(home, { args: ['-e', script], ready: 'socket' });
    await expect(daemon.connect()).rejects.toMatchObject({ code: 'protocol-error' });
  });

  test('can be cancelled', async ({ home }) => {
    const daemon = server(home, { command: 'sleep', args: ['1000'] });
    await daemon.start();
    const controller = new AbortController();
    const connecting = daemon.connect({ signal: controller.signal });
    connecting.catch(() => {});
    controller.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('brings up an older daemon in the newer version first (F49)', async ({ home }) => {
    const old = await server(home, { ready: 'socket', version: '1.0.0' }).start();
    const connection = await server(home, { ready: 'socket' }).connect();
    expect(connection.hello.instanceId).not.toBe(old.instanceId);
    expect(isAlive(old.pid)).toBe(false);
    connection.close();
  });
});

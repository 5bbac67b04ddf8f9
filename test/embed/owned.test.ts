import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { isAlive, untilDead } from '../support/processes.js';
import { fixture, libraryFile, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const { defineDaemon } = loadLibrary();

function optionsOf(home: TemporaryHome, over: Partial<DaemonOptions> = {}): DaemonOptions {
  const args = [fixture('serves.mjs'), serveFile, '{"version":"1.0.0"}'];
  return { name: 'acme', command: process.execPath, args, version: '1.0.0', cwd: null, home: home.path, ready: 'socket', ...over };
}

/** A program that ensures the daemon, says so, and lives until it is killed. */
async function host(home: TemporaryHome, options: DaemonOptions) {
  const program = home.spawn(process.execPath, [fixture('owns.mjs'), libraryFile, JSON.stringify(options)]);
  await program.says('\n');
  return { answer: JSON.parse(program.stdout), program };
}

describe.concurrent('a daemon that a process owns', () => {
  test('stays as long as one of its owners, and leaves after the last, which was killed', async ({ home }) => {
    const options = optionsOf(home, { ownedBy: 'process' });
    const first = await host(home, options);
    const { pid } = first.answer;
    expect(first.answer.outcome).toBe('started');
    const second = await host(home, options);
    expect(second.answer).toMatchObject({ outcome: 'already-running', pid });
    const asking = await defineDaemon(optionsOf(home, { onMismatch: 'use' })).connect();
    const owners = async () => ((await asking.request('system.status')) as { owners: number }).owners;
    expect(await owners()).toBe(2);
    first.program.kill('SIGKILL');
    await first.program.end();
    await waitFor('the daemon to see that one is gone', async () => (await owners()) === 1);
    expect(isAlive(pid)).toBe(true);
    asking.close();
    second.program.kill('SIGKILL');
    await second.program.end();
    await untilDead(pid);
    await home.logSays('acme', 'stopping: owner-gone');
    expect(await defineDaemon(options).status()).toMatchObject({ status: 'stopped', reason: 'ended-cleanly' });
  });

  test('may be owned by another process than the one that starts it', async ({ home }) => {
    const owner = home.spawn('sleep', ['1000']);
    const { pid } = await defineDaemon(optionsOf(home, { ownedBy: { pid: owner.pid } })).ensure();
    expect(isAlive(pid)).toBe(true);
    owner.kill('SIGKILL');
    await owner.end();
    await untilDead(pid);
    const late = defineDaemon(optionsOf(home, { ownedBy: { pid: owner.pid } }));
    await expect(late.ensure()).rejects.toMatchObject({ code: 'invalid-spec', facts: { option: 'ownedBy' } });
  });

  test('is not made of one that is there to stay', async ({ home }) => {
    const { pid } = await defineDaemon(optionsOf(home)).ensure();
    const guest = await host(home, optionsOf(home, { ownedBy: 'process', onMismatch: 'use' }));
    expect(guest.answer).toMatchObject({ outcome: 'already-running', pid });
    guest.program.kill('SIGKILL');
    await guest.program.end();
    const connection = await defineDaemon(optionsOf(home)).connect();
    expect(await connection.request('system.lease')).toBe(false);
    connection.close();
    expect(isAlive(pid)).toBe(true);
  });

  test('must be able to leave: another command is ended again, and the call fails', async ({ home }) => {
    const script = 'require("net").createServer((s) => s.on("error", () => {}).end("hm\\n")).listen(process.env.DAEMONRY_SOCKET)';
    const daemon = defineDaemon(optionsOf(home, { args: ['-e', script], ownedBy: 'process' }));
    await expect(daemon.ensure()).rejects.toMatchObject({ code: 'unsupported', facts: { name: 'acme', option: 'ownedBy' } });
    expect(home.processes()).toEqual([]);
    expect(await daemon.status()).toMatchObject({ status: 'stopped' });
  });

  test.for([{ ownedBy: 'me' }, { ownedBy: { pid: 1 } }, { ownedBy: 'process', restart: 'always' }])(
    '%j can not be meant',
    (over, { home }) => {
      expect(() => defineDaemon(optionsOf(home, over as Partial<DaemonOptions>))).toThrow(
        expect.objectContaining({ code: 'invalid-spec' }),
      );
    },
  );
});

describe.concurrent('a daemon that connections own', () => {
  test('stays as long as one of them, and leaves with the last', async ({ home }) => {
    const daemon = defineDaemon(optionsOf(home, { ownedBy: 'connection' }));
    const [first, second] = [await daemon.connect(), await daemon.connect()];
    const { pid } = home.descriptor('acme');
    // One that only asks holds nothing.
    expect(await defineDaemon(optionsOf(home, { onMismatch: 'use' })).ensure()).toMatchObject({ pid });
    first.close();
    expect(await second.request('echo', { still: 'there' })).toEqual({ still: 'there' });
    second.close();
    await untilDead(pid);
    await home.logSays('acme', 'stopping: owner-gone');
  });

  test('is started anew for one that comes while it leaves (F53)', async ({ home }) => {
    const daemon = defineDaemon(optionsOf(home, { ownedBy: 'connection' }));
    const instances = new Set<string>();
    for (let round = 0; round < 5; round++) {
      const connection = await daemon.connect();
      expect(await connection.request('echo', { round })).toEqual({ round });
      instances.add(connection.hello.instanceId);
      connection.close();
    }
    // However slowly it leaves: at last it has, and another one comes.
    await waitFor('it to leave', async () => (await daemon.status()).status === 'stopped');
    const connection = await daemon.connect();
    expect(instances.has(connection.hello.instanceId)).toBe(false);
    connection.close();
    await daemon.stop();
  });
});

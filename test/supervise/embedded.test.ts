import { describe, expect } from 'vitest';
import { loadLibrary } from '../support/library.js';
import { environmentOf, isAlive } from '../support/processes.js';
import { fixture, libraryFile, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import { inPhase, killNow, nextRun, runsOf, startKept, supervisorOf, takenOver, untilLeft } from './support/supervised.js';

const { createSupervisor, defineDaemon } = loadLibrary();

type Options = Parameters<typeof defineDaemon>[0];

function kept(home: TemporaryHome, options: Partial<Options> = {}) {
  const restart = { restart: 'always', restartDelayMs: 0, restartLimit: 0 } as const;
  return defineDaemon({ name: 'acme', command: 'sleep', args: ['1000'], cwd: home.folder, home: home.path, ...restart, ...options });
}

describe.concurrent('defineDaemon with a policy', () => {
  test('start: the daemon comes back, in the hands of the supervisor of its home', async ({ home }) => {
    const daemon = kept(home);
    const running = await daemon.start();
    expect(running).toMatchObject({ outcome: 'started', pid: home.descriptor('acme').pid });
    expect(home.descriptor('acme').supervisedBy.pid).toBe(supervisorOf(home).pid);
    await killNow(running.pid);
    const after = await nextRun(home, 'acme', running);
    expect(await daemon.status()).toMatchObject({ status: 'running', phase: 'ready', pid: after.pid });
    expect(await daemon.start()).toMatchObject({ outcome: 'already-running', pid: after.pid });
  });

  test('ensure: finds it, and replaces an older one, which stays supervised', async ({ home }) => {
    const first = await kept(home, { version: '1.0.0' }).ensure();
    expect(first.outcome).toBe('started');
    expect(await kept(home, { version: '1.0.0' }).ensure()).toMatchObject({ outcome: 'already-running', pid: first.pid });
    const second = await kept(home, { version: '2.0.0' }).ensure();
    expect(second).toMatchObject({ outcome: 'replaced', version: '2.0.0' });
    expect([isAlive(first.pid), isAlive(second.pid)]).toEqual([false, true]);
    await killNow(second.pid);
    expect((await nextRun(home, 'acme', second)).version).toBe('2.0.0');
  });

  test('stop: for good', async ({ home }) => {
    const daemon = kept(home);
    const { pid } = await daemon.start();
    const supervisor = supervisorOf(home).pid;
    expect(await daemon.stop()).toMatchObject({ outcome: 'stopped', pid });
    await untilLeft(supervisor);
    expect(await daemon.status()).toMatchObject({ status: 'stopped', phase: null });
    expect(home.processes()).toEqual([]);
  });

  test('restart: keeps it supervised', async ({ home }) => {
    const daemon = kept(home);
    const first = await daemon.start();
    const second = await daemon.restart();
    expect(second.outcome).toBe('started');
    expect(isAlive(first.pid)).toBe(false);
    await killNow(second.pid);
    await nextRun(home, 'acme', second);
  });

  test('connect: speaks to a supervised daemon that serves', async ({ home }) => {
    const daemon = kept(home, { command: process.execPath, args: [fixture('serves.mjs'), serveFile], ready: 'socket' });
    const connection = await daemon.connect();
    expect(await connection.request('echo', { a: 1 })).toEqual({ a: 1 });
    connection.close();
  });

  test('a failed start fails with the facts of a plain one', async ({ home }) => {
    const failing = kept(home, { command: 'sh', args: ['-c', 'echo oh; exit 4'], ready: 'log:never' });
    await expect(failing.start()).rejects.toMatchObject({
      name: 'DaemonError',
      code: 'ended-before-ready',
      facts: expect.objectContaining({ exitCode: 4, logTail: ['oh'] }),
    });
    await expect(kept(home, { command: 'no-such-command' }).start()).rejects.toMatchObject({ code: 'command-not-found' });
  });

  test('an aborted start is cancelled, and ends the daemon', async ({ home }) => {
    const controller = new AbortController();
    const starting = kept(home, { ready: 'log:never' }).start({ signal: controller.signal });
    const { pid } = await inPhase(home, 'acme', 'starting');
    controller.abort();
    await expect(starting).rejects.toMatchObject({ code: 'cancelled' });
    await untilLeft(pid);
    await untilLeft(supervisorOf(home)?.pid ?? 0);
    expect(home.descriptor('acme')).toBeUndefined();
  });

  test('the host program is kept alive by nothing, and hands on its environment', async ({ home }) => {
    const options = { name: 'acme', command: 'sleep', args: ['1000'], home: home.path, restart: 'always' };
    const script = `const { defineDaemon } = require(${JSON.stringify(libraryFile)});
      defineDaemon(${JSON.stringify(options)}).ensure().then(({ pid }) => console.log(pid));`;
    const end = await home.spawn(process.execPath, ['-e', script], { env: { OF_THE_HOST: 'yes' } }).end();
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(environmentOf(Number(end.stdout))).toMatchObject({ OF_THE_HOST: 'yes', DAEMONRY_NAME: 'acme' });
  });
});

describe.concurrent('createSupervisor', () => {
  /** A supervisor in a program of its own, whose standard input keeps it alive, as a host does. */
  function host(home: TemporaryHome, work: string) {
    const script = `const { createSupervisor } = require(${JSON.stringify(libraryFile)});
      const supervisor = createSupervisor({ home: ${JSON.stringify(home.path)}, onEvent: (event) => console.log(JSON.stringify(event)) });
      const sleeper = { name: 'acme', command: 'sleep', args: ['1000'], restart: 'always', restartDelayMs: 0, restartLimit: 0 };
      (async () => { ${work} })();`;
    return home.spawn(process.execPath, ['-e', script]);
  }
  const stays = 'setInterval(() => {}, 1000);';

  test('keeps daemons running within a program, which prints nothing by itself', async ({ home }) => {
    const program = host(home, `await supervisor.start(sleeper); console.log('started', supervisor.names.join()); ${stays}`);
    await program.says('started acme\n');
    const first = home.descriptor('acme');
    expect(first.supervisedBy.pid).toBe(program.pid);
    await killNow(first.pid);
    const second = await nextRun(home, 'acme', first);
    await program.says(`{"name":"acme","message":"started again (pid ${second.pid})"}\n`);
    expect((await home.cli(['stop', 'acme', '--json'])).json).toMatchObject({ outcome: 'stopped' });
    program.kill('SIGKILL');
    await program.end();
    expect(home.processes()).toEqual([]);
  });

  test('keeps no program alive, and its daemons outlive it; the next supervisor takes them over', async ({ home }) => {
    const program = host(home, 'await supervisor.start(sleeper);');
    expect(await program.end()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const orphan = home.descriptor('acme');
    expect(isAlive(orphan.pid)).toBe(true);
    await startKept(home, 'other');
    expect(await takenOver(home, 'acme', orphan.supervisedBy)).toMatchObject({ pid: orphan.pid });
  });

  test('takes over what another supervisor left, and stops all that it keeps', async ({ home }) => {
    const first = await startKept(home, 'acme');
    const { pid } = first;
    await startKept(home, 'other');
    await home.cli(['stop', 'supervisor']);
    const supervisor = createSupervisor({ home: home.path });
    await supervisor.takeOver();
    expect([...supervisor.names].sort()).toEqual(['acme', 'other']);
    expect(home.descriptor('acme')).toMatchObject({ pid, supervisedBy: { pid: process.pid } });
    expect(await supervisor.status('acme')).toMatchObject({ status: 'running', pid });
    await killNow(pid);
    const second = await nextRun(home, 'acme', first);
    expect(second.supervisedBy.pid).toBe(process.pid);
    await supervisor.stopAll();
    expect(home.processes()).toEqual([]);
    expect(runsOf(home, 'other').at(-1)).toMatchObject({ cause: 'stop' });
  });

  test('that has left is no supervisor any more, though its program lives: the next one takes over', async ({ home }) => {
    const first = createSupervisor({ home: home.path });
    const sleeper = { name: 'acme', command: 'sleep', args: ['1000'], restart: 'always', ready: 'log:never', onTimeout: 'keep' } as const;
    const { pid } = await first.start({ ...sleeper, readyTimeoutMs: 1 });
    const starting = first.start({ ...sleeper, name: 'slow', readyTimeoutMs: 300 });
    await inPhase(home, 'slow', 'starting');
    await first.leave();
    expect(first.names).toEqual([]);
    expect(home.descriptor('acme')).toMatchObject({ pid, supervisedBy: { pid: process.pid, left: true } });
    // One that it was just starting has nobody, either.
    await starting;
    await waitFor('slow to be let go of', () => home.descriptor('slow').supervisedBy.left);
    const second = createSupervisor({ home: home.path });
    await second.takeOver();
    expect([...second.names].sort()).toEqual(['acme', 'slow']);
    expect(home.descriptor('acme').supervisedBy).not.toHaveProperty('left');
    await second.leave();
    await killNow(pid);
    // Nobody is there who would start it again.
    expect(await second.status('acme')).toMatchObject({ status: 'stale', reason: expect.stringMatching('process-') });
    await second.stopAll();
  });

  test('says of what runs already that it does not keep it, since it has no policy or is kept elsewhere', async ({ home }) => {
    const byHand = await home.startSleeper('acme');
    await startKept(home, 'other');
    const said: { readonly name: string; readonly message: string }[] = [];
    const supervisor = createSupervisor({ home: home.path, onEvent: (event) => said.push(event) });
    const sleeper = { command: 'sleep', args: ['1000'], restart: 'always' } as const;
    const found = { ...sleeper, name: 'acme', onMismatch: 'use' } as const;
    expect(await supervisor.ensure(found)).toMatchObject({ outcome: 'already-running', pid: byHand.pid });
    expect(await supervisor.start({ ...sleeper, name: 'other' })).toMatchObject({ outcome: 'already-running' });
    expect(said).toEqual([
      { name: 'acme', message: expect.stringContaining('no policy') },
      { name: 'other', message: `is kept by another supervisor (pid ${supervisorOf(home).pid}) already` },
    ]);
    // With no policy still, and nobody's any more.
    const another = createSupervisor({ home: home.path });
    await another.restart('acme');
    await another.leave();
    await supervisor.start(found);
    expect(said.at(-1)).toEqual(said[0]);
    expect(supervisor.names).toEqual([]);
    await supervisor.stop('acme');
    await supervisor.start(found);
    await supervisor.start(found);
    expect([supervisor.names, said.length]).toEqual([['acme'], 3]);
    await supervisor.stopAll();
  });

  test('refuses what is never to be restarted, and its own name', async ({ home }) => {
    const supervisor = createSupervisor({ home: home.path });
    await expect(supervisor.start({ name: 'acme', command: 'sleep', args: ['1000'] })).rejects.toMatchObject({ code: 'invalid-spec' });
    await expect(supervisor.start({ name: 'supervisor', command: 'sleep', restart: 'always' })).rejects.toMatchObject({
      code: 'invalid-name',
    });
    await expect(supervisor.restart('never-known')).rejects.toMatchObject({ code: 'not-found' });
    expect(supervisor.names).toEqual([]);
  });
});

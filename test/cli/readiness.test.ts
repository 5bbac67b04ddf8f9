import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { freePort } from '../support/free-port.js';
import { hasExecuted, isAlive, untilDead } from '../support/processes.js';
import { fixture, packageRoot } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

/** Starts without waiting for the end, and returns once the command runs. */
async function beginStart(home: TemporaryHome, ready: string, command: readonly string[]) {
  const program = home.spawnCli(['start', 'clock', '--json', '--ready', ready, '--ready-timeout', '50s', '--', ...command]);
  await waitFor('the command to be executed', () => hasExecuted(home.descriptor('clock')?.pid));
  return program;
}

async function expectStarting(home: TemporaryHome): Promise<void> {
  const { pid } = home.descriptor('clock');
  const status = await home.cli(['status', 'clock']);
  expect(status).toMatchObject({ exitCode: 0, stdout: `clock is running (pid ${pid}, starting)\n`, stderr: '' });
}

/** A daemon that lets the test say when it becomes ready: the start must wait until then, and not end before. */
async function expectWaits(
  home: TemporaryHome,
  ready: string,
  command: (latch: string) => readonly string[],
  before?: () => Promise<void>,
) {
  const latch = home.latch('latch');
  const start = await beginStart(home, ready, command(latch.path));
  await before?.();
  await expectStarting(home);
  expect(start.ended).toBe(false);
  latch.open();
  const end = await start.end();
  expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  expect(end.json).toMatchObject({ outcome: 'started', status: 'running' });
  expect(home.descriptor('clock')).toMatchObject({ phase: 'ready', ready });
  expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'running', phase: 'ready' });
}

const listener = (kind: string, port: number) => (latch: string) => [process.execPath, fixture('listens.mjs'), kind, String(port), latch];

describe.concurrent('readiness', () => {
  test('exec: is there once the command has been executed', async ({ home }) => {
    await home.startSleeper('clock', '--ready', 'exec');
    expect(home.descriptor('clock')).toMatchObject({ phase: 'ready', ready: 'exec' });
  });

  test('socket: waits until something listens on the socket of this instance', async ({ home }) => {
    await expectWaits(home, 'socket', listener('socket', 0));
    const connection = connect(home.descriptor('clock').socket);
    await new Promise((resolve, reject) => connection.once('connect', resolve).once('error', reject));
    connection.destroy();
  });

  test('socket: is meant with a pinned path too', async ({ home }) => {
    const latch = home.latch('latch');
    latch.open();
    const socket = home.file('pinned.sock');
    const started = await home.start('clock', listener('socket', 0)(latch.path), '--ready', 'socket', '--socket', 'pinned.sock');
    expect(started.socket).toBe(socket);
    expect(existsSync(socket)).toBe(true);
  });

  test('port: waits until somebody listens on it', async ({ home }) => {
    const port = await freePort();
    await expectWaits(home, `port:${port}`, listener('port', port));
  });

  test('http: waits for a 2xx, not for an answer', async ({ home }) => {
    const port = await freePort();
    await expectWaits(home, `http:http://127.0.0.1:${port}/ready`, listener('http', port), () => home.logSays('clock', 'unready'));
  });

  test('log: waits for a whole line that matches', async ({ home }) => {
    const script = 'echo not yet; printf "now read"; read -r _ <"$1"; echo y 42; exec sleep 1000';
    await expectWaits(
      home,
      'log:^now ready \\d+$',
      (latch) => ['sh', '-c', script, 'sh', latch],
      () => home.logSays('clock', 'now read'),
    );
  });

  test('log: is not there for what an earlier run wrote', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'echo ready; exec sleep 1000'], '--ready', 'log:ready');
    await home.stop('clock');
    await expectWaits(home, 'log:ready', (latch) => ['sh', '-c', 'read -r _ <"$1"; echo ready; exec sleep 1000', 'sh', latch]);
  });

  test('notify: waits for a byte on the descriptor', async ({ home }) => {
    const script = 'read -r _ <"$1"; echo >&"$DAEMONRY_NOTIFY_FD"; exec sleep 1000';
    await expectWaits(home, 'notify', (latch) => ['sh', '-c', script, 'sh', latch]);
  });

  test('notify: waits for a byte in the file', async ({ home }) => {
    const script = 'read -r _ <"$1"; echo >>"$DAEMONRY_NOTIFY_FILE"; exec sleep 1000';
    await expectWaits(home, 'notify', (latch) => ['sh', '-c', script, 'sh', latch]);
  });

  test('is not there for a daemon that is dead by now, whatever evidence it left', async ({ home }) => {
    const options = ['--ready', 'notify', '--ready-timeout', '100ms', '--on-timeout', 'keep'];
    const { pid } = await home.startSleeper('clock', ...options);
    const { notifyFile } = home.descriptor('clock');
    process.kill(pid, 'SIGKILL');
    await untilDead(pid);
    writeFileSync(notifyFile, '\n');
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(1);
    const next = await home.startSleeper('clock', ...options);
    expect(next.outcome).toBe('starting');
    expect(next.pid).not.toBe(pid);
  });
});

describe.concurrent('a start that is not ready in time', () => {
  const neverReady = ['sh', '-c', 'echo still loading; sleep 1000 & wait'];

  test('stops the daemon with all of its processes and exits 124 with its last words (F16)', async ({ home }) => {
    // Long enough for its words on a busy machine.
    const end = await home.cli(['start', 'clock', '--ready', 'notify', '--ready-timeout', '5s', '--json', '--', ...neverReady]);
    expect(end).toMatchObject({ exitCode: 124, stderr: '' });
    const { error } = end.json;
    expect(error).toMatchObject({ code: 'ready-timeout', name: 'clock', logTail: ['still loading'] });
    expect(error.message).toBe(`clock (pid ${error.pid}) was not ready within 5s and was stopped`);
    expect(isAlive(error.pid)).toBe(false);
    expect(home.processes()).toEqual([]);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('tells people what to do next, in one line and the last words', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--ready', 'notify', '--ready-timeout', '100ms', '--', 'sleep', '1000']);
    expect(end).toMatchObject({ exitCode: 124, stdout: '' });
    expect(end.stderr).toMatch(
      /^daemonry: clock \(pid \d+\) was not ready within 100ms and was stopped; see .*daemon\.log; --ready-timeout .*\n$/,
    );
  });

  test('stops the daemon though the package was removed meanwhile (F52)', async ({ home }) => {
    const installed = home.file('installed');
    for (const part of ['bin', 'dist']) cpSync(join(packageRoot, part), join(installed, part), { recursive: true });
    const latch = home.latch('latch');
    latch.open();
    // Somebody listens on its socket, so that it would be asked to end, if there still were a way to ask.
    const command = [process.execPath, fixture('listens.mjs'), 'socket', '0', latch.path];
    const options = ['clock', '--json', '--ready', 'log:never', '--ready-timeout', '8s', '--', ...command];
    const start = home.spawn(process.execPath, ['--', join(installed, 'bin/daemonry.cjs'), 'start', ...options]);
    await waitFor('the socket', () => existsSync(home.descriptor('clock')?.socket));
    rmSync(installed, { recursive: true });
    expect((await start.end()).json).toMatchObject({ error: { code: 'ready-timeout' } });
    expect(home.processes()).toEqual([]);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('keeps it with --on-timeout keep, and says starting (F16)', async ({ home }) => {
    const options = ['--ready', 'notify', '--ready-timeout', '100ms', '--on-timeout', 'keep'];
    const started = await home.startSleeper('clock', ...options);
    expect(started.outcome).toBe('starting');
    expect(isAlive(started.pid)).toBe(true);
    await expectStarting(home);
    // Its starter is gone: the phase is derived from the evidence from now on.
    appendFileSync(home.descriptor('clock').notifyFile, '\n');
    expect((await home.cli(['status', 'clock'])).stdout).toBe(`clock is running (pid ${started.pid})\n`);
  });

  test('is said to be starting again by the next start, while it is not ready (F16)', async ({ home }) => {
    const options = ['--ready', 'notify', '--ready-timeout', '100ms', '--on-timeout', 'keep'];
    const first = await home.startSleeper('clock', ...options);
    expect(await home.startSleeper('clock', ...options)).toEqual(first);
    writeFileSync(home.descriptor('clock').notifyFile, '\n');
    expect(await home.startSleeper('clock', ...options)).toEqual({ ...first, outcome: 'already-running' });
    expect(home.descriptor('clock').phase).toBe('ready');
  });

  test('keeps fields of the descriptor that it does not know', async ({ home }) => {
    await home.startSleeper('clock', '--ready', 'notify', '--ready-timeout', '100ms', '--on-timeout', 'keep');
    const descriptor = home.descriptor('clock');
    home.writeRaw('clock', JSON.stringify({ ...descriptor, later: { addition: [1, 'two'] } }));
    writeFileSync(descriptor.notifyFile, '\n');
    await home.cli(['start', 'clock']);
    expect(home.descriptor('clock')).toEqual({ ...descriptor, phase: 'ready', later: { addition: [1, 'two'] } });
  });

  test('does not wait for a daemon that has ended (F18)', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--ready', 'port:1', '--ready-timeout', '10m', '--json', '--', 'false']);
    expect(end.exitCode).toBe(1);
    expect(end.json.error).toMatchObject({ code: 'ended-before-ready', exitCode: 1 });
  });
});

describe.concurrent('a start whose starter was killed', () => {
  test('is completed by the next start, which waits for the same readiness', async ({ home }) => {
    const starter = await beginStart(home, 'notify', ['sleep', '1000']);
    const { pid, notifyFile } = home.descriptor('clock');
    starter.kill('SIGKILL');
    await starter.end();
    const next = home.spawnCli(['start', 'clock', '--json', '--', 'sleep', '1000']);
    await expectStarting(home);
    writeFileSync(notifyFile, '\n');
    expect((await next.end()).json).toMatchObject({ outcome: 'already-running', pid });
    expect(home.descriptor('clock')).toMatchObject({ pid, phase: 'ready' });
  });

  test('is replaced by the next start where it never becomes ready', async ({ home }) => {
    const starter = await beginStart(home, 'notify', ['sleep', '1000']);
    const { pid } = home.descriptor('clock');
    starter.kill('SIGKILL');
    await starter.end();
    // Only now: a starter that is slow to be killed must not be the one that gives up.
    const specFile = home.at('clock', 'spec.json');
    writeFileSync(specFile, JSON.stringify({ ...JSON.parse(readFileSync(specFile, 'utf8')), readyTimeoutMs: 100 }));
    const second = await home.startSleeper('clock');
    expect(second.outcome).toBe('started');
    expect([isAlive(pid), isAlive(second.pid)]).toEqual([false, true]);
  });
});

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { freePort } from '../support/free-port.js';
import { isAlive, untilDead } from '../support/processes.js';
import { fixture, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import { atOnce, nextRun, recordedRuns, startKept } from './support/supervised.js';

/** So that a test sees many of them. */
const often = ['--health-interval', '20ms', '--health-timeout', '1s', '--health-threshold', '2', '--health-start-grace', '0s'];

/** For what must be well: a busy machine may let a probe wait for long. */
const patiently = ['--health-timeout', '30s'];

/** Starts a web server that is watched, and returns how to tell it how to be. */
async function startServer(home: TemporaryHome, probe: (port: number) => string, ...options: string[]) {
  const port = await freePort();
  const health = ['--health', probe(port), ...often, ...atOnce, ...options];
  const run = await startKept(home, 'web', [process.execPath, fixture('health.mjs'), String(port)], '--ready', `port:${port}`, ...health);
  // It may be between two runs: a machine that is too busy to answer in time has it restarted, too.
  const tell = (mood: string) =>
    waitFor(`it to be told ${mood}`, () =>
      fetch(`http://127.0.0.1:${port}/${mood}`)
        .then((answer) => answer.text())
        .catch(() => undefined),
    );
  return { run, tell };
}

/** Its last run was ended for want of health, and another one has come. */
async function expectUnhealthy(home: TemporaryHome, name: string, run: { instanceId: string; pid: number }): Promise<void> {
  await nextRun(home, name, run);
  expect(isAlive(run.pid)).toBe(false);
  const [first] = await recordedRuns(home, name, 1);
  expect(first).toMatchObject({
    instanceId: run.instanceId,
    cause: 'crash',
    decision: expect.stringMatching(/not well any more.*; restarted/),
  });
  expect((await home.cli(['why', name, '-n', '100'])).stdout).toMatch(
    new RegExp(`pid ${run.pid} crashed.* it was not well any more and was ended; restarted`),
  );
}

describe.concurrent('a daemon with --health', () => {
  test('http: is restarted when it answers with a failure', async ({ home }) => {
    const { run, tell } = await startServer(home, (port) => `http:http://127.0.0.1:${port}/health`);
    await tell('fail');
    await expectUnhealthy(home, 'web', run);
  });

  test('http: is restarted when it does not answer in time', async ({ home }) => {
    const { run, tell } = await startServer(home, (port) => `http:http://127.0.0.1:${port}/health`, '--health-timeout', '100ms');
    await tell('hang');
    await expectUnhealthy(home, 'web', run);
  });

  test('port: is restarted when nobody listens', async ({ home }) => {
    const [port, latch] = [await freePort(), home.latch('latch')];
    const script = `${process.execPath} '${fixture('health.mjs')}' ${port} & read -r _ <'${latch.path}'; kill -9 $!; exec sleep 1000`;
    const health = ['--health', `port:${port}`, ...often, ...atOnce];
    const run = await startKept(home, 'web', ['sh', '-c', script], '--ready', `port:${port}`, ...health);
    latch.open();
    await expectUnhealthy(home, 'web', run);
  });

  test('command: is asked in its own folder with its own environment, and restarted when that fails', async ({ home }) => {
    home.file('place/well', '');
    const probe = 'test -e "$WELL" && touch asked';
    const options = ['--cwd', 'place', '--env', 'WELL=well', '--health', `command:${probe}`, ...often, ...atOnce, ...patiently];
    const run = await startKept(home, 'web', ['sleep', '1000'], ...options);
    await waitFor('the probe to be run', () => existsSync(home.file('place/asked')));
    expect(isAlive(run.pid)).toBe(true);
    rmSync(home.file('place/well'));
    await waitFor('another run', () => home.descriptor('web')?.instanceId !== run.instanceId);
    home.file('place/well', '');
    await expectUnhealthy(home, 'web', run);
  });

  test('command: one that hangs is a failure, and is not left behind', async ({ home }) => {
    const probe = `echo $$ >>'${home.file('probes')}'; exec sleep 1000`;
    const options = ['--health', `command:${probe}`, ...often, ...atOnce, '--health-timeout', '100ms'];
    const run = await startKept(home, 'web', ['sleep', '1000'], ...options);
    await waitFor('another run', () => home.descriptor('web')?.instanceId !== run.instanceId);
    const pids = () =>
      existsSync(home.file('probes')) ? readFileSync(home.file('probes'), 'utf8').split('\n').slice(0, -1).map(Number) : [];
    // One that is out of time before it could say so is none of them.
    await waitFor('two that had begun', () => pids().length >= 2);
    await home.stop('web');
    for (const pid of pids()) await untilDead(pid);
  });

  test('ping: is restarted when it answers on its socket no more', async ({ home }) => {
    const options = ['--ready', 'socket', '--health', 'ping', ...often, ...atOnce, '--health-timeout', '2s', '--grace', '100ms'];
    const run = await startKept(home, 'web', [process.execPath, fixture('serves.mjs'), serveFile], ...options);
    process.kill(run.pid, 'SIGSTOP');
    await expectUnhealthy(home, 'web', run);
  });

  test('ping: is left alone for as long as it answers', async ({ home }) => {
    const options = ['--ready', 'socket', '--health', 'ping', ...often, ...patiently];
    const run = await startKept(home, 'web', [process.execPath, fixture('serves.mjs'), serveFile], ...options);
    const before = switches(run.pid);
    await waitFor('many probes', () => switches(run.pid) > before + 30);
    expect(home.descriptor('web').instanceId).toBe(run.instanceId);
  });

  test('is not asked before its start grace is over', async ({ home }) => {
    const probe = `touch '${home.file('asked')}'; false`;
    const others = ['--health', `command:${probe}`, ...often, ...atOnce];
    const patient = await startKept(home, 'patient', ['sleep', '1000'], ...others, '--health-start-grace', '1h');
    // Another one that fails the same probe, and is restarted meanwhile.
    const hasty = await startKept(home, 'hasty', ['sleep', '1000'], '--health', 'command:false', ...often, ...atOnce);
    await nextRun(home, 'hasty', hasty);
    expect([existsSync(home.file('asked')), home.descriptor('patient').instanceId]).toEqual([false, patient.instanceId]);
  });

  test('fewer failures in a row than the threshold count for nothing', async ({ home }) => {
    const probe = `echo >>'${home.file('probes')}'; test $(($(wc -l <'${home.file('probes')}') % 2)) = 0`;
    const run = await startKept(home, 'web', ['sleep', '1000'], '--health', `command:${probe}`, ...often, ...patiently);
    await waitFor('many probes', () => existsSync(home.file('probes')) && readFileSync(home.file('probes'), 'utf8').length >= 12);
    expect(home.descriptor('web').instanceId).toBe(run.instanceId);
  });

  test('that is never well ends in a crash loop', async ({ home }) => {
    const options = ['--health', 'command:false', ...often, '--restart-delay', '0s', '--restart-limit', '2'];
    await startKept(home, 'web', ['sleep', '1000'], ...options);
    const runs = await recordedRuns(home, 'web', 3);
    expect(runs.map(({ cause }) => cause)).toEqual(['crash', 'crash', 'crash-loop']);
    await waitFor('the phase failed', () => home.descriptor('web')?.phase === 'failed');
    expect(home.processes().filter(({ descriptor }) => descriptor.includes('/web/'))).toEqual([]);
  });
});

function switches(pid: number): number {
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

import type { StartedTestContainer } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StandInResult } from './vitest-stand-in.js';
import { startWine, whyNoWine } from './wine-image.js';

const missing = whyNoWine();
const node = 'C:\\node\\node.exe';
const home = '/opt/wine/drive_c/users/root/AppData/Local/daemonry';
const sleeps = ['--', node, '-e', 'setInterval(() => {}, 1e6)'];
const mostSeconds = { contracts: 400, command: 60 };

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: Record<string, unknown>;
}

describe.skipIf(missing !== undefined)(`Windows, under Wine${missing ? ` (${missing})` : ''}`, () => {
  let container: StartedTestContainer;
  let runs = 0;

  beforeAll(async () => {
    container = await startWine();
  }, 600_000);

  afterAll(async () => {
    await container?.stop({ timeout: 0 });
  });

  async function shell(script: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, output } = await container.exec(['sh', '-c', script, 'sh', ...args]);
    expect(exitCode, output).toBe(0);
    return output;
  }

  /** Through files: a pipe of Unix's is no standard output that Node could open under Wine. */
  async function run(seconds: number, ...args: readonly string[]): Promise<Answer> {
    const out = `/tmp/run-${++runs}`;
    const script = `cd /opt/wine/drive_c/app && timeout -s KILL ${seconds} wine '${node}' "$@" </dev/null >${out}.out 2>${out}.err; echo $?`;
    const exitCode = Number(await shell(script, ...args));
    const [stdout, stderr] = [await shell(`cat ${out}.out`), await shell(`cat ${out}.err`)];
    return { exitCode, stdout, stderr, json: stdout.startsWith('{') ? JSON.parse(stdout) : {} };
  }

  const daemonry = (verb: string, name: string, ...args: readonly string[]) =>
    run(mostSeconds.command, 'bin/daemonry.cjs', verb, name, '--json', ...args);
  const isAlive = async (pid: unknown) =>
    (await run(20, '-e', 'try { process.kill(+process.argv[1], 0) } catch { process.exit(1) }', String(pid))).exitCode === 0;
  const kill = (pid: unknown) => run(20, '-e', "process.kill(+process.argv[1], 'SIGKILL')", String(pid));

  it('contracts: every port, as far as Windows has what they are about', { timeout: 500_000 }, async () => {
    const set = 'DAEMONRY_TEST_PROGRAMS=C:\\app\\suites';
    await shell(
      `cd /opt/wine/drive_c/app/suites && env "$1" timeout -s KILL ${mostSeconds.contracts} wine '${node}' contracts.mjs report.json </dev/null >/tmp/contracts.out 2>&1 || true`,
      set,
    );
    const { results, left } = JSON.parse(await shell('cat /opt/wine/drive_c/app/suites/report.json')) as {
      results: StandInResult[];
      left: number;
    };
    const of = (outcome: StandInResult['outcome']) => results.filter((result) => result.outcome === outcome);
    console.log(`contracts under Wine: ${of('passed').length} passed, ${of('failed').length} failed, skipped:`);
    for (const { title } of of('skipped')) console.log(`  ${title}`);
    expect(of('failed')).toEqual([]);
    expect(left).toBe(0);
    expect(of('passed').length).toBeGreaterThan(100);
  });

  it('start, status, restart, stop: say the same as elsewhere', async () => {
    const started = await daemonry('start', 'plain', ...sleeps);
    expect(started).toMatchObject({ exitCode: 0, json: { outcome: 'started', status: 'running' } });
    expect(await daemonry('start', 'plain')).toMatchObject({ exitCode: 0, json: { outcome: 'already-running', pid: started.json.pid } });
    expect(await daemonry('status', 'plain')).toMatchObject({
      exitCode: 0,
      json: { status: 'running', phase: 'ready', pid: started.json.pid },
    });
    const restarted = await daemonry('restart', 'plain');
    expect(restarted).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(restarted.json.pid).not.toBe(started.json.pid);
    expect(await daemonry('stop', 'plain')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
    expect(await isAlive(restarted.json.pid)).toBe(false);
    expect(await daemonry('status', 'plain')).toMatchObject({ exitCode: 3, json: { status: 'stopped', pid: null } });
    expect(await daemonry('stop', 'plain')).toMatchObject({ exitCode: 0, json: { outcome: 'already-stopped' } });
  });

  it('stop: a daemon that listens is asked over its pipe, and may say good-bye (F46)', async () => {
    const started = await daemonry('start', 'served', '--ready', 'notify', '--', node, 'fixtures/serves.mjs');
    expect(started).toMatchObject({ exitCode: 0, json: { socket: expect.stringMatching(/^\\\\\.\\pipe\\daemonry-/) } });
    expect(await daemonry('stop', 'served')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped', escaped: [] } });
    expect((await daemonry('logs', 'served')).json.lines).toEqual(['serving', 'asked to stop']);
  });

  it('stop: a tree that does not end is ended, all of it (F47)', async () => {
    const before = await nodesAlive();
    const args = ['--ready', 'log:^serving$', '--grace', '1s', '--', node, 'fixtures/never-ends.mjs'];
    expect(await daemonry('start', 'stubborn', ...args)).toMatchObject({ exitCode: 0 });
    expect(await nodesAlive()).toBe(before + 3);
    expect(await daemonry('stop', 'stubborn')).toMatchObject({ exitCode: 0, json: { outcome: 'killed' } });
    expect(await nodesAlive()).toBe(before);
  });

  it('status: a daemon that was killed is stale, and the next start heals it', async () => {
    const { json } = await daemonry('start', 'killed', ...sleeps);
    await kill(json.pid);
    expect(await daemonry('status', 'killed')).toMatchObject({ exitCode: 1, json: { status: 'stale' } });
    expect(await daemonry('start', 'killed')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(await daemonry('stop', 'killed')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
  });

  it('start: of eight at once one starts it, and the others find it running (F11)', async () => {
    const before = await nodesAlive();
    const answers = await Promise.all(Array.from({ length: 8 }, () => daemonry('start', 'race', ...sleeps)));
    expect(answers.map(({ exitCode }) => exitCode)).toEqual(Array.from({ length: 8 }, () => 0));
    expect(answers.filter(({ json }) => json.outcome === 'started')).toHaveLength(1);
    expect(new Set(answers.map(({ json }) => json.pid)).size).toBe(1);
    expect(await nodesAlive()).toBe(before + 1);
    expect(await daemonry('stop', 'race')).toMatchObject({ exitCode: 0 });
  });

  it('start: a corrupt descriptor is set aside (F24)', async () => {
    await daemonry('start', 'spoilt', ...sleeps);
    await daemonry('stop', 'spoilt');
    await shell(`printf '{ "schema": 1,' >${home}/spoilt/daemon.json`);
    expect(await daemonry('status', 'spoilt')).toMatchObject({ exitCode: 1, json: { status: 'stale' } });
    expect(await daemonry('start', 'spoilt')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(await shell(`ls ${home}/spoilt`)).toContain('daemon.json.bad');
    await daemonry('stop', 'spoilt');
  });

  it("stop: a pid that is another's by now is left alone (F1, F2)", async () => {
    const { json: stranger } = await daemonry('start', 'stranger', ...sleeps);
    const { json: victim } = await daemonry('start', 'reused', ...sleeps);
    await kill(victim.pid);
    await shell(
      `sed -i 's/"pid": *${victim.pid}\\b/"pid": ${stranger.pid}/' ${home}/reused/daemon.json && grep -q '"pid": ${stranger.pid}' ${home}/reused/daemon.json`,
    );
    expect(await daemonry('status', 'reused')).toMatchObject({ exitCode: 1, json: { status: 'stale' } });
    expect(await daemonry('stop', 'reused')).toMatchObject({ exitCode: 0, json: { outcome: 'stale-cleaned' } });
    expect(await isAlive(stranger.pid)).toBe(true);
    expect(await daemonry('stop', 'stranger')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
  });

  it('start: a batch file is found by its name alone, and its children go with it', async () => {
    const before = await nodesAlive();
    const started = await daemonry('start', 'batch', '--ready', 'log:first', '--', '.\\fixtures\\tool', 'one', 'and two');
    expect(started).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    // What cmd.exe prints ends its lines with two characters.
    expect((await daemonry('logs', 'batch')).json.lines).toEqual(['first=one second=and two\r']);
    expect(await daemonry('stop', 'batch')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
    expect(await nodesAlive()).toBe(before);
  });

  it('start: what is missing is named', async () => {
    expect(await daemonry('start', 'missing', '--', 'daemonry-no-such-command')).toMatchObject({
      exitCode: 5,
      json: { error: { code: 'command-not-found' } },
    });
  });

  async function nodesAlive(): Promise<number> {
    return Number(await shell("ps -eo args | grep -c '^C:.node.node.exe' || true"));
  }
});

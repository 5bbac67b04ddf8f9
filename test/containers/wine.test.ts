import type { StartedTestContainer } from 'testcontainers';
import { afterAll, describe, expect, it } from 'vitest';
import { describeWindowsScenarios, type WindowsSystem } from '../windows/scenarios.js';
import type { StandInReport } from '../windows/vitest-stand-in.js';
import { processesOf, startRow, whyNot } from './row-container.js';
import { rowNamed } from './rows.js';

const row = rowNamed('wine');
const node = 'C:\\node\\node.exe';
const app = 'C:\\app';
const mostSeconds = { suite: 400, program: 90 };

let starting: Promise<StartedTestContainer> | undefined;
let runs = 0;

/** One container for all: Wine takes longer to start than most of the tests do. */
const wine = () => (starting ??= startRow(row));

afterAll(async () => {
  // With the container go all of its processes.
  await (await starting)?.stop({ timeout: 0 });
});

/** Through files: a pipe of Unix's is no standard output that Node could open under Wine. */
async function runInWine(seconds: number, file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const container = await wine();
  const out = `/tmp/run-${++runs}`;
  const script = `cd /opt/wine/drive_c && timeout -s KILL ${seconds} wine "$@" </dev/null >${out} 2>${out}.err; echo $?`;
  const { output } = await container.exec(['sh', '-c', script, 'sh', file, ...args], { env });
  const said = async (path: string) => (await container.exec(['cat', path])).stdout;
  return { exitCode: Number(output), stdout: await said(out), stderr: await said(`${out}.err`) };
}

const system: WindowsSystem = {
  // Wine refuses CTRL_BREAK. Its cmd.exe reads quotes in its own way, and leaves a batch file at a label that is not there, where npm's go on.
  can: { consoleBreak: false, windowsQuoting: false, npmShims: false },
  node,
  packageFolder: `${app}\\node_modules\\daemonry`,
  fixtures: `${app}\\fixtures`,
  run: async (file, ...args) => {
    const end = await runInWine(mostSeconds.program, file, args);
    return { ...end, json: end.stdout.startsWith('{') ? JSON.parse(end.stdout) : {} };
  },
};

describe.concurrent(row.name, () => {
  it('the contracts of every port hold on the Windows adapters', async ({ task, skip }) => {
    const reason = whyNot(row);
    if (reason !== undefined) return skip(reason);
    const programs = { DAEMONRY_TEST_PROGRAMS: `${app}\\suites` };
    const end = await runInWine(mostSeconds.suite, node, [`${app}\\suites\\contracts.mjs`, 'C:\\report.json'], programs);
    const container = await wine();
    const said = (await container.exec(['cat', '/opt/wine/drive_c/report.json'])).stdout;
    const { results, left } = (said.startsWith('{') ? JSON.parse(said) : { results: [], left: undefined }) as StandInReport;
    const of = (outcome: string) => results.filter((result) => result.outcome === outcome);
    const lacks = of('skipped').map(({ title }) => /\[(no \w+) here\]$/.exec(title)?.[1] ?? 'what it needs');
    task.meta.inner = { passed: of('passed').length, failed: of('failed').length, skipped: of('skipped').length, lacks };
    expect(of('failed'), end.stderr).toEqual([]);
    expect(left, `${end.stdout}${end.stderr}\n${await processesOf(container)}`).toBe(0);
    expect(of('passed').length).toBeGreaterThan(100);
  });

  describeWindowsScenarios(system, (title, body, needs) => {
    it(title, async ({ skip }) => {
      const reason = whyNot(row) ?? (needs && !system.can[needs] ? `no ${needs}` : undefined);
      if (reason !== undefined) return skip(reason);
      await body();
    });
  });
});

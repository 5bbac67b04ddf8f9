// The same tests with a daemon of their own each, and with daemons from a pool, in interleaved rounds on one machine.
// Usage: npm run bench:pool [-- --rounds N]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });
const rounds = Number(values.rounds);
const files = ['test/serve/protocol.test.ts', 'test/serve/framing.test.ts'];
const aim = 5;
const folder = mkdtempSync(join(tmpdir(), 'daemonry-bench-'));
const report = join(folder, 'report.json');
const vitest = [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'sociable', '--maxWorkers', '1', ...files];
const reporting = ['--reporter=json', `--outputFile.json=${report}`];

/** Only the tests that have a daemon are counted, with all that it takes to give them one; and the whole run beside it. */
function run(pooled) {
  const began = performance.now();
  const env = { ...process.env, DAEMONRY_TEST_POOLED: pooled ? '1' : '0' };
  const { status, stderr } = spawnSync(process.execPath, [...vitest, ...reporting], { cwd: root, env, encoding: 'utf8' });
  const wholeMs = performance.now() - began;
  if (status !== 0) throw new Error(`the tests failed: ${stderr}`);
  const { testResults, numPassedTests } = JSON.parse(readFileSync(report, 'utf8'));
  const testsMs = testResults.reduce((sum, { startTime, endTime }) => sum + endTime - startTime, 0);
  return { wholeMs, testsMs, count: numPassedTests };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const seconds = (ms) => `${(ms / 1_000).toFixed(2)} s`.padStart(10);

try {
  const rows = [
    { label: 'one daemon per test', pooled: false, runs: [] },
    { label: 'daemons from a pool', pooled: true, runs: [] },
  ];
  // The first builds what is not built yet.
  run(true);
  for (let round = 0; round < rounds; round++) for (const row of rows) row.runs.push(run(row.pooled));
  const counts = new Set(rows.flatMap(({ runs }) => runs.map(({ count }) => count)));
  console.log(`the same ${[...counts].join(' and ')} tests of ${files.join(', ')}; medians of ${rounds} interleaved rounds`);
  console.log(`${''.padEnd(20)} ${'the tests'.padStart(10)} ${'whole run'.padStart(10)}`);
  const medians = rows.map(({ label, runs }) => {
    const testsMs = median(runs.map((one) => one.testsMs));
    const wholeMs = median(runs.map((one) => one.wholeMs));
    console.log(`${label.padEnd(20)} ${seconds(testsMs)} ${seconds(wholeMs)}`);
    return { testsMs, wholeMs };
  });
  const [each, pooled] = medians;
  const ratio = each.testsMs / pooled.testsMs;
  console.log(
    `${'faster by'.padEnd(20)} ${`${ratio.toFixed(1)} x`.padStart(10)} ${`${(each.wholeMs / pooled.wholeMs).toFixed(1)} x`.padStart(10)}`,
  );
  console.log(`aim: the tests at least ${aim} x faster`);
  if (ratio < aim) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

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
const aim = 5;
/** Tests that ask a daemon something, and are over in milliseconds; and, to compare, some that move megabytes through it. */
const files = [
  { file: 'test/serve/protocol.test.ts', what: 'tests that ask', aim },
  { file: 'test/serve/framing.test.ts', what: 'tests that move megabytes' },
];
const folder = mkdtempSync(join(tmpdir(), 'daemonry-bench-'));
const report = join(folder, 'report.json');
const vitest = [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'sociable', '--maxWorkers', '1'];
const reporting = ['--reporter=json', `--outputFile.json=${report}`];

/** How long the tests took, with all that it takes to give them a daemon; and the whole run, with the start of vitest and the end of the pool. */
function run(file, pooled) {
  const began = performance.now();
  const env = { ...process.env, DAEMONRY_TEST_POOLED: pooled ? '1' : '0' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [...vitest, file, ...reporting], { cwd: root, env, encoding: 'utf8' });
  const wholeMs = performance.now() - began;
  if (status !== 0) throw new Error(`the tests failed: ${stdout}${stderr}`);
  const { testResults, numPassedTests } = JSON.parse(readFileSync(report, 'utf8'));
  const testsMs = testResults.reduce((sum, { startTime, endTime }) => sum + endTime - startTime, 0);
  return { wholeMs, testsMs, count: numPassedTests };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const medians = (runs) => ({ testsMs: median(runs.map((one) => one.testsMs)), wholeMs: median(runs.map((one) => one.wholeMs)) });
const seconds = (ms) => `${(ms / 1_000).toFixed(2)} s`.padStart(12);
const times = (each, pooled) => `${(each / pooled).toFixed(1)} x`.padStart(12);

try {
  // The first builds what is not built yet.
  run(files[0].file, true);
  for (const { file, what, aim: least } of files) {
    const [each, pooled] = [[], []];
    for (let round = 0; round < rounds; round++) {
      each.push(run(file, false));
      pooled.push(run(file, true));
    }
    const [slow, fast] = [medians(each), medians(pooled)];
    console.log(`${file}: ${pooled[0].count} ${what}, medians of ${rounds} interleaved rounds`);
    console.log(`${''.padEnd(22)}${'the tests'.padStart(12)}${'whole run'.padStart(12)}`);
    console.log(`${'one daemon per test'.padEnd(22)}${seconds(slow.testsMs)}${seconds(slow.wholeMs)}`);
    console.log(`${'daemons from a pool'.padEnd(22)}${seconds(fast.testsMs)}${seconds(fast.wholeMs)}`);
    const told = least === undefined ? '' : `   (aim: the tests at least ${least} x)`;
    console.log(`${'faster by'.padEnd(22)}${times(slow.testsMs, fast.testsMs)}${times(slow.wholeMs, fast.wholeMs)}${told}\n`);
    if (least !== undefined && slow.testsMs / fast.testsMs < least) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

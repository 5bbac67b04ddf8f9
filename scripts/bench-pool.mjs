// The same tests with a daemon of their own each, and with daemons from a pool, in interleaved rounds on one machine: all files of the
// suite whose tests are given a served daemon.
// Usage: npm run bench:pool [-- --rounds N] [--write]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { load, machine } from './bench/machine.mjs';
import { projectRoot } from './bench/stage.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    /** Into docs/benchmarks. */
    write: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const aim = 5;
const files = readdirSync(join(projectRoot, 'test'), { recursive: true })
  .map((file) => join('test', file))
  .filter((file) => file.endsWith('.test.ts') && /support\/served-test\.js'/.test(readFileSync(join(projectRoot, file), 'utf8')))
  .toSorted();
const folder = mkdtempSync(join(tmpdir(), 'daemonry-bench-'));
const report = join(folder, 'report.json');
const vitest = [join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'sociable'];
// One worker runs them one after the other: nothing of what a start takes is hidden behind another test.
const oneWorker = ['--maxWorkers', '1', '--no-isolate'];
const reporting = ['--reporter=json', `--outputFile.json=${report}`];

/** How long the tests took, with all that it takes to give them a daemon; and the whole run, with the start of vitest and the end of the pool. */
function run(pooled) {
  const began = performance.now();
  const env = { ...process.env, DAEMONRY_TEST_POOLED: pooled ? '1' : '0' };
  const args = [...vitest, ...files, ...oneWorker, ...reporting];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: projectRoot, env, encoding: 'utf8' });
  const wholeMs = performance.now() - began;
  if (status !== 0) throw new Error(`the tests failed: ${stdout}${stderr}`);
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const perFile = new Map(testResults.map((one) => [relative(projectRoot, one.name), one]));
  const fileMs = (file) => perFile.get(file).endTime - perFile.get(file).startTime;
  const timesMs = [...files.map(fileMs), files.reduce((sum, file) => sum + fileMs(file), 0), wholeMs];
  return { timesMs, counts: files.map((file) => perFile.get(file).assertionResults.length) };
}

const median = (list) => {
  const sorted = list.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
};
const seconds = (ms) => `${(ms / 1_000).toFixed(2)} s`;
const times = (each, pooled) => `${(each / pooled).toFixed(1)} ×`;

try {
  // The first builds what is not built yet.
  const { counts } = run(true);
  const before = load();
  const [each, pooled] = [[], []];
  for (let round = 0; round < rounds; round++) {
    each.push(run(false).timesMs);
    pooled.push(run(true).timesMs);
  }
  const total = files.length;
  const count = counts.reduce((sum, one) => sum + one, 0);
  const names = [...files.map((file, index) => `${file} (${counts[index]})`), `all tests (${count})`, 'the whole run, with vitest'];
  const rows = names.map((name, index) => {
    const [slow, fast] = [each, pooled].map((runs) => median(runs.map((timesMs) => timesMs[index])));
    return { name, slow, fast, cells: [name, seconds(slow), seconds(fast), times(slow, fast)] };
  });
  const ratios = each.map((timesMs, round) => timesMs[total] / pooled[round][total]).toSorted((a, b) => a - b);
  const faster = rows[total].slow / rows[total].fast;
  const verdict = `All tests: ${faster.toFixed(1)} × faster (in single rounds ${ratios[0].toFixed(1)}–${ratios.at(-1).toFixed(1)} ×); aim: at least ${aim} ×, ${faster >= aim ? 'met' : 'missed'}.`;
  const head = ['tests', 'one daemon per test', 'from a pool', 'faster by'];
  const table = [head, head.map((_cell, index) => (index === 0 ? '---' : '---:')), ...rows.map(({ cells }) => cells)];
  const lines = table.map((cells) => `| ${cells.join(' | ')} |`);
  const { date, daemonry, node, system, cores, model } = machine();
  const where = `${date} UTC, daemonry ${daemonry}, Node ${node}, ${system}, ${cores} × ${model}; load ${before.join(' ')} before, ${load().join(' ')} after.`;
  const how = `The same tests, medians of ${rounds} interleaved rounds; one worker runs all files.`;
  console.log([how, '', ...lines, '', verdict].join('\n'));
  if (values.write) {
    const command = `npm run bench:pool -- --write --rounds ${rounds}`;
    const text = ['# Tests with a daemon each, and with daemons from a pool', '', where, '', `Written by \`${command}\`. ${how}`];
    writeFileSync(join(projectRoot, 'docs', 'benchmarks', 'pool.md'), `${[...text, '', ...lines, '', verdict].join('\n')}\n`);
  }
  if (faster < aim) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

// The whole suite, and one plain line at its end: `N passed, N failed, N skipped`, counted from vitest's own report.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const report = join(root, '.reports', 'vitest.json');

const reporters = [
  '--reporter=default',
  `--reporter=${join(root, 'test', 'containers', 'rows-reporter.ts')}`,
  '--reporter=json',
  `--outputFile.json=${report}`,
];

function run(title, command, args) {
  console.log(`\n> ${title}`);
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  return status === 0;
}

mkdirSync(dirname(report), { recursive: true });
rmSync(report, { force: true });
const passed = [
  run('types', process.execPath, [join(root, 'node_modules', 'typescript-7', 'bin', 'tsc'), '--noEmit']),
  run('lint', bin('biome'), ['check', '--error-on-warnings', '.']),
  run('tests', bin('vitest'), ['run', ...reporters, ...process.argv.slice(2)]),
];

let counts;
try {
  counts = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  console.error('the tests left no report');
}
const skipped = counts ? counts.numPendingTests + (counts.numTodoTests ?? 0) : 0;
console.log(`\n${counts?.numPassedTests ?? 0} passed, ${counts?.numFailedTests ?? 1} failed, ${skipped} skipped`);
process.exitCode = passed.every(Boolean) && counts?.success ? 0 : 1;

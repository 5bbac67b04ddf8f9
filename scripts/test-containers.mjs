// The container matrix: `npm run test:containers [-- --update-readme] [options of vitest]`. With --update-readme the results
// and times of this run, and of the one before, are written into the documents.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const updates = '--update-readme';
const options = process.argv.slice(2).filter((argument) => argument !== updates);
const reporters = ['--reporter=default', `--reporter=${join(root, 'test', 'containers', 'rows-reporter.ts')}`];
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'vitest'), ['run', '--project', 'containers', ...reporters, ...options], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ...(process.argv.includes(updates) ? { DAEMONRY_UPDATE_README: '1' } : {}) },
});
process.exitCode = status ?? 1;

// Every fault at every call of every verb, which takes minutes; with an argument, the one point that it names.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const point = process.argv.slice(2).join(' ');
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'vitest'), ['run', '--project', 'faults'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, FAULTS: 'all', ...(point === '' ? {} : { FAULT_POINT: point }) },
});
process.exitCode = status ?? 1;

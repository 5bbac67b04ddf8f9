// Bundles the simulation and runs it in one process: `npm run sim -- --runs N [--seed S]`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'daemonry-sim-'));
const outfile = join(folder, 'sim.mjs');
try {
  buildSync({
    entryPoints: [join(root, 'test', 'simulation', 'main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    sourcemap: 'inline',
  });
  // Nearly all that it allocates is short-lived.
  const flags = ['--enable-source-maps', '--max-semi-space-size=64'];
  const { status } = spawnSync(process.execPath, [...flags, outfile, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

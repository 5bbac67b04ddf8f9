// Bundles the soak and runs it: `npm run soak -- --minutes N [--seed S] [--users N] [--calm SHARE]`. Needs what `npm run build` has made.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// As deep in the project as its source, which finds the built library from where it is.
const outfile = join(root, '.reports', 'soak', 'main.mjs');
mkdirSync(dirname(outfile), { recursive: true });
buildSync({
  entryPoints: [join(root, 'test', 'soak', 'main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
  sourcemap: 'inline',
});
const env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined };
const { status } = spawnSync(process.execPath, ['--enable-source-maps', outfile, ...process.argv.slice(2)], { stdio: 'inherit', env });
process.exitCode = status ?? 1;

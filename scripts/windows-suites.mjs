// The contracts as programs, for a Node that has neither vitest nor TypeScript. With a folder: puts them there. Without: runs them, on Windows.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Below the project, from where koffi is found.
const folder = process.argv[2] ?? mkdtempSync(join(root, '.suites-'));

await build({
  absWorkingDir: root,
  entryPoints: { contracts: 'test/wine/contracts.ts', 'mortal-actor': 'test/contracts/programs/mortal-actor.ts' },
  outdir: folder,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: ['esbuild'],
  alias: { vitest: join(root, 'test', 'wine', 'vitest-stand-in.ts') },
  define: { DAEMONRY_VERSION: '"0.0.0"' },
  logLevel: 'error',
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
});

if (process.argv[2] === undefined) {
  const report = join(folder, 'report.json');
  const env = { ...process.env, DAEMONRY_TEST_PROGRAMS: folder };
  const { status } = spawnSync(process.execPath, [join(folder, 'contracts.mjs'), report], { stdio: 'inherit', env });
  const { results } = JSON.parse(readFileSync(report, 'utf8'));
  for (const { title, outcome, error } of results) console.log(outcome.padEnd(8), title, error ? `\n${error}` : '');
  process.exitCode = status ?? 1;
}

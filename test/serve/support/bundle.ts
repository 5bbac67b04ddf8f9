import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../../..');

/** Compiles a file of this project into one that plain Node runs. Path relative to the root. */
export async function bundle(source: string, target: string): Promise<string> {
  await build({
    entryPoints: [join(root, source)],
    outfile: target,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return target;
}

import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { installedPackage, projectRoot } from './suite.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** The package as a registry would give it, unpacked: packed once in a run, whose temporary folder keeps it. */
async function packedPackage(): Promise<string> {
  if (installedPackage !== undefined) return installedPackage;
  const folder = join(tmpdir(), 'packed');
  if (existsSync(folder)) return join(folder, 'package');
  const work = mkdtempSync(join(tmpdir(), 'pack-'));
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', work];
  const { stdout } = await run('npm', pack, { cwd: projectRoot });
  await run('tar', ['-xzf', stdout.trim()], { cwd: work });
  try {
    renameSync(work, folder);
  } catch (error) {
    // Another worker was quicker.
    if (!existsSync(folder)) throw error;
    rmSync(work, { recursive: true, force: true });
  }
  return join(folder, 'package');
}

/**
 * Copies an example into a clean folder, and puts there what `npm install` would: the packed daemonry, and of its other
 * dependencies those of this checkout, so that no registry is needed.
 */
export async function installExample(example: string, folder: string, dependencies: readonly string[]): Promise<void> {
  cpSync(join(projectRoot, 'examples', example), folder, { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(modules, { recursive: true });
  cpSync(await packedPackage(), join(modules, 'daemonry'), { recursive: true });
  for (const name of dependencies) symlinkSync(packageFolder(name), join(modules, name));
}

function packageFolder(name: string): string {
  return dirname(require.resolve(`${name}/package.json`));
}

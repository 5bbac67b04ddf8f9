import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { libraryFile, projectRoot } from './suite.js';

/** Builds the package, unless nothing that it is made of has changed since. */
export function buildWhereNeeded(): void {
  const builtAt = existsSync(libraryFile) ? statSync(libraryFile).mtimeMs : 0;
  const sources = [join(projectRoot, 'package.json'), join(projectRoot, 'scripts', 'build.mjs'), ...filesUnder(join(projectRoot, 'src'))];
  if (sources.every((file) => statSync(file).mtimeMs < builtAt)) return;
  execFileSync(process.execPath, [join(projectRoot, 'scripts', 'build.mjs')], { cwd: projectRoot, stdio: ['ignore', 2, 2] });
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

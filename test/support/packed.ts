import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { RunningProgram } from './command-line.js';
import { shellLines } from './readme.js';
import { installedPackage, projectRoot } from './suite.js';
import type { TemporaryHome } from './temporary-home.js';

const run = promisify(execFile);

/** The package as a registry would give it, unpacked: packed once in a run, whose temporary folder keeps it. */
export async function packedPackage(): Promise<string> {
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
export async function installExample(example: string, folder: string): Promise<void> {
  cpSync(join(projectRoot, 'examples', example), folder, { recursive: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  for (const name of dependenciesOf(folder)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    if (name === 'daemonry') cpSync(await packedPackage(), join(modules, name), { recursive: true });
    else symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
    for (const [bin, file] of binsOf(name, join(modules, name))) symlinkSync(join('..', name, file), join(modules, '.bin', bin));
  }
}

export interface ReadmeOptions {
  /** Which of its blocks of shell lines. */
  readonly block?: number;
  /** In place of the port that it names, which may be taken. */
  readonly port?: number;
}

/**
 * The shell lines of an example's README, run in its folder. `npm install` has nothing left to do there, and `npx` is the programs
 * that it would have linked.
 */
export function runReadme(home: TemporaryHome, example: string, folder: string, { block = 0, port }: ReadmeOptions = {}): RunningProgram {
  home.file('bin/npm', '#!/bin/sh\nexit 0\n', 0o755);
  home.file('bin/npx', '#!/bin/sh\nprogram=$1\nshift\nexec "node_modules/.bin/$program" "$@"\n', 0o755);
  const env = { PATH: `${home.file('bin')}:${process.env.PATH}`, NO_COLOR: '1', ...(port && { PORT: String(port) }) };
  const lines = shellLines(example, block);
  return home.spawn('sh', ['-e', '-c', port ? lines.replaceAll('3000', String(port)) : lines], { cwd: folder, env });
}

function dependenciesOf(folder: string): readonly string[] {
  // What `npm install daemonry` is for.
  if (!existsSync(join(folder, 'package.json'))) return ['daemonry'];
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.keys({ ...dependencies, ...devDependencies });
}

function binsOf(name: string, folder: string): readonly [string, string][] {
  const { bin = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return typeof bin === 'string' ? [[basename(name), bin]] : Object.entries(bin);
}

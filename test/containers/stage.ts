import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import cmdShim from 'cmd-shim';
import { build } from 'esbuild';
import { projectRoot } from '../support/suite.js';

const run = promisify(execFile);
const npm = (...args: readonly string[]) =>
  run('npm', [...args, '--silent', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: tmpdir() });

/** What is the same for every run on this machine is fetched once. */
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'daemonry-test');

/** As npm calls the processors of the engine's machine. */
export type Arch = 'x64' | 'arm64';

/** Runs are side by side on one machine: whoever is first to have a folder ready wins. */
async function cached(name: string, make: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'work-'));
  try {
    chmodSync(work, 0o755);
    await make(work);
    if (!existsSync(folder)) renameSync(work, folder);
    return folder;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The path of a Node for Linux or Windows, from npm. */
export async function fetchNode(system: 'linux' | 'win', version: string, arch: Arch): Promise<string> {
  const name = `node-${system}-${arch}`;
  const folder = await cached(`${name}-${version}`, (work) =>
    npm('install', '--prefix', work, '--no-save', '--force', `${name}@${version}`),
  );
  return join(folder, 'node_modules', name, 'bin', system === 'win' ? 'node.exe' : 'node');
}

/** The libraries that the tests need, for the engine's machine: those of this checkout where it is of the same kind. */
export async function fetchLibraries(arch: Arch): Promise<string> {
  if (process.platform === 'linux' && process.arch === arch) return join(projectRoot, 'node_modules');
  const lock = readFileSync(join(projectRoot, 'package-lock.json'));
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const folder = await cached(`libraries-${arch}-${hash}`, async (work) => {
    for (const file of ['package.json', 'package-lock.json']) cpSync(join(projectRoot, file), join(work, file));
    await npm('ci', '--prefix', work, '--os=linux', `--cpu=${arch}`, '--libc=glibc');
  });
  return join(folder, 'node_modules');
}

/**
 * A folder with an application that has installed the packed daemonry, and beside it the tests, as another package: to
 * them `daemonry` is what was installed. To be removed in the end.
 */
export async function stageApplication(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'daemonry-stage-'));
  // Users of other containers read it.
  chmodSync(folder, 0o755);
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: projectRoot });
  const archive = join(folder, stdout.trim());
  await npm('install', '--prefix', folder, '--no-save', '--offline', archive);
  rmSync(archive);
  stageSuite(join(folder, 'suite'));
  return folder;
}

/**
 * The same as npm makes it on Windows, with the optional packages of that system and npm's shims; beside it the contracts in one file, since
 * vitest does not run under Wine, and what the scenarios start. To be removed in the end.
 */
export async function stageWindowsApplication(arch: Arch): Promise<string> {
  if (arch !== 'x64') throw new Error(`no Wine of x64 on ${arch}`);
  const folder = mkdtempSync(join(tmpdir(), 'daemonry-windows-'));
  chmodSync(folder, 0o755);
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], { cwd: projectRoot });
  const archive = join(folder, stdout.trim());
  await npm('install', '--prefix', folder, '--no-save', '--os=win32', `--cpu=${arch}`, archive);
  rmSync(archive);
  const modules = join(folder, 'node_modules');
  const bin = join(modules, 'daemonry', 'bin', 'daemonry.cjs');
  const { forWindows } = createRequire(import.meta.url)(join(projectRoot, 'bin', 'first-line.cjs')) as { forWindows(text: string): string };
  writeFileSync(bin, forWindows(readFileSync(bin, 'utf8')));
  await cmdShim(bin, join(modules, '.bin', 'daemonry'));
  const test = join(projectRoot, 'test');
  cpSync(join(test, 'windows', 'fixtures'), join(folder, 'fixtures'), { recursive: true });
  await build({
    absWorkingDir: projectRoot,
    entryPoints: { contracts: 'test/windows/contracts.ts', 'mortal-actor': 'test/contracts/programs/mortal-actor.ts' },
    outdir: join(folder, 'suites'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['esbuild'],
    alias: { vitest: join(test, 'windows', 'vitest-stand-in.ts') },
    logLevel: 'error',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  });
  return folder;
}

function stageSuite(folder: string): void {
  for (const part of ['src', 'test', 'examples', 'README.md', 'vitest.config.ts', 'tsconfig.json']) {
    cpSync(join(projectRoot, part), join(folder, part), { recursive: true });
  }
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'daemonry-suite', version, private: true, type: 'module' }));
  mkdirSync(join(folder, 'node_modules'));
}

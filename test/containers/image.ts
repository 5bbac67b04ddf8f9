import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer } from 'testcontainers';

const root = join(import.meta.dirname, '..', '..');
const ownBase = 'daemonry-test/base:bookworm';
const image = 'daemonry-test/package:latest';

/** Why no container can be had here, or `undefined`. */
export function whyNoContainers(): string | undefined {
  if (!succeeds('docker', ['version', '--format', '{{.Server.Version}}'])) return 'no Docker engine answers';
  if (process.env.DAEMONRY_TEST_BASE || hasImage(ownBase)) return undefined;
  if (!succeeds('debootstrap', ['--version'])) return 'no base image, and no debootstrap to make one';
  return process.geteuid?.() === 0 ? undefined : 'no base image, and only root can make one';
}

/** The packed package and this Node, on a bare Debian. */
export async function packageImage(): Promise<GenericContainer> {
  const base = process.env.DAEMONRY_TEST_BASE ?? ownBase;
  if (base === ownBase && !hasImage(ownBase))
    execFileSync(join(root, 'docker', 'make-base.sh'), [ownBase], { stdio: ['ignore', 'ignore', 'inherit'] });
  const context = mkdtempSync(join(tmpdir(), 'daemonry-image-'));
  try {
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', context], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
    execFileSync('tar', ['-xzf', join(context, packed), '-C', context]);
    rmSync(join(context, packed));
    copyFileSync(process.execPath, join(context, 'node'));
    copyFileSync(join(root, 'docker', 'Dockerfile'), join(context, 'Dockerfile'));
    mkdirSync(join(context, 'package'), { recursive: true });
    return await GenericContainer.fromDockerfile(context).withBuildArgs({ BASE: base }).build(image, { deleteOnExit: false });
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

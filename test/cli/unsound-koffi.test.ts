import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { callsFlock, commandLine, fixture, packageRoot } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

const isRoot = process.geteuid?.() === 0;

/** A package of its own, which finds koffi where it was not installed with it: in a folder further up. */
function installedBelow(home: TemporaryHome) {
  const name = `@koromix/koffi-linux-${process.arch}`;
  const file = `linux_${process.arch}/koffi.node`;
  const root = home.file('somewhere/node_modules/daemonry');
  for (const part of ['bin', 'dist/cli', 'package.json']) {
    cpSync(join(packageRoot, part), join(root, part), { recursive: true, filter: (path) => !path.endsWith('.compiled') });
  }
  const found = home.file(`node_modules/${name}/${file}`);
  mkdirSync(join(found, '..'), { recursive: true });
  copyFileSync(createRequire(commandLine).resolve(`${name}/${file}`), found);
  chmodSync(found, 0o644);
  /** Starts and stops a daemon. Whether koffi was loaded for it. */
  const loadsIt = async () => {
    const list = home.file('loaded');
    for (const args of [
      ['start', 'x', '--', 'sleep', '1000'],
      ['stop', 'x'],
    ]) {
      const command = ['--require', fixture('lists-its-modules.cjs'), '--', join(root, 'bin', 'daemonry.cjs'), ...args];
      expect(await home.spawn(process.execPath, command, { env: { LOADED_MODULES: list } }).end()).toMatchObject({
        exitCode: 0,
        stderr: '',
      });
    }
    return readFileSync(list, 'utf8').includes('koffi.node');
  };
  return { found, loadsIt };
}

const isMusl = existsSync('/etc/alpine-release');

describe.skipIf(!callsFlock || isMusl)('koffi (needs it installed, and glibc)', { concurrent: true }, () => {
  test('is loaded where it is whole, and ours', async ({ home }) => {
    expect(await installedBelow(home).loadsIt()).toBe(true);
  });

  test('that an installation has cut off is not: it would end the program', async ({ home }) => {
    const { found, loadsIt } = installedBelow(home);
    truncateSync(found, 1_000_000);
    expect(await loadsIt()).toBe(false);
    truncateSync(found, 0);
    expect(await loadsIt()).toBe(false);
  });

  test('that others may have written is not', async ({ home }) => {
    const { found, loadsIt } = installedBelow(home);
    chmodSync(found, 0o666);
    expect(await loadsIt()).toBe(false);
  });

  test.skipIf(!isRoot)("that is another user's is not (needs root)", async ({ home }) => {
    const { found, loadsIt } = installedBelow(home);
    chownSync(found, 12_345, 12_345);
    expect(await loadsIt()).toBe(false);
  });
});

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import cmdShim from 'cmd-shim';
import { describe, expect } from 'vitest';
import { packageRoot } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** What npm makes of the bin on Windows, for each of its shells. */
async function shimsOf(home: TemporaryHome, edit: (text: string) => string) {
  const bin = home.file('node_modules/daemonry/bin/daemonry.cjs');
  cpSync(join(packageRoot, 'bin', 'daemonry.cjs'), bin);
  writeFileSync(bin, edit(readFileSync(bin, 'utf8')));
  const shim = home.file('node_modules/.bin/daemonry');
  await cmdShim(bin, shim);
  return {
    bin: readFileSync(bin, 'utf8'),
    cmd: readFileSync(`${shim}.cmd`, 'utf8'),
    ps1: readFileSync(`${shim}.ps1`, 'utf8'),
    sh: readFileSync(shim, 'utf8'),
  };
}

const { forWindows } = createRequire(import.meta.url)(join(packageRoot, 'bin', 'first-line.cjs')) as { forWindows(text: string): string };

describe.concurrent("npm's shim on Windows", () => {
  test('gives the bin to Node, after a --', async ({ home }) => {
    const { bin, cmd, ps1, sh } = await shimsOf(home, forWindows);
    expect(bin.split('\n', 2)[0]).toBe('#!/usr/bin/env -S node --');
    expect(cmd).toContain('SET "_prog=node"');
    expect(cmd).toMatch(/"%_prog%" {1,2}-- "%dp0%\\\.\.\\daemonry\\bin\\daemonry\.cjs" %\*/);
    expect(ps1).toMatch(/& "node\$exe" {1,2}-- "\$basedir\/\.\.\/daemonry\/bin\/daemonry\.cjs" \$args/);
    expect(sh).toMatch(/exec node {1,2}-- "\$basedir\/\.\.\/daemonry\/bin\/daemonry\.cjs" "\$@"/);
  });

  test('would look for /bin/sh without the line that is written there', async ({ home }) => {
    const { cmd } = await shimsOf(home, (text) => text);
    expect(cmd).toContain('SET "_prog=/bin/sh"');
  });

  test('leads to a bin that runs as before', async ({ home }) => {
    await shimsOf(home, forWindows);
    cpSync(join(packageRoot, 'dist'), home.file('node_modules/daemonry/dist'), { recursive: true });
    const bin = join(home.folder, 'node_modules', 'daemonry', 'bin', 'daemonry.cjs');
    expect((await home.spawn(process.execPath, ['--', bin, 'list', '--json']).end()).json).toEqual({ schema: 1, daemons: [] });
  });
});

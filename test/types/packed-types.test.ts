import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { packedPackage } from '../support/packed.js';
import { projectRoot } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

const compilerOptions = { target: 'es2023', module: 'nodenext', strict: true, exactOptionalPropertyTypes: true, noEmit: true };

/** The type tests beside this file, where nothing is installed but what a host has: no type of a bundled library can be found. */
async function hostWithTypeTests(home: TemporaryHome): Promise<string> {
  const modules = home.file('host/node_modules/.keep', '').slice(0, -'/.keep'.length);
  cpSync(await packedPackage(), join(modules, 'daemonry'), { recursive: true });
  for (const name of ['@types/node', 'clipanion', 'vitest']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  for (const file of ['daemonry.test-d.ts', 'entries.test-d.ts']) cpSync(join(import.meta.dirname, file), home.file(`host/${file}`));
  home.file('host/package.json', '{ "type": "module" }');
  home.file('host/tsconfig.json', JSON.stringify({ compilerOptions: { ...compilerOptions, types: ['node'], skipLibCheck: false } }));
  return home.file('host');
}

describe.concurrent('the packed declarations', () => {
  test.for([
    ['the compiler of this project', 'node_modules'],
    ['the last one in JavaScript', 'scripts/docs/node_modules'],
  ] as const)('are what the type tests say, for %s', async ([, modules], { home }) => {
    const cwd = await hostWithTypeTests(home);
    const tsc = join(projectRoot, modules, 'typescript', 'bin', 'tsc');
    expect(await home.spawn(process.execPath, [tsc, '-p', '.'], { cwd }).end()).toMatchObject({ stdout: '', exitCode: 0 });
  });
});

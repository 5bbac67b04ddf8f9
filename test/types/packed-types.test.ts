import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { packedPackage } from '../support/packed.js';
import { projectRoot } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

const compilerOptions = { target: 'es2023', strict: true, exactOptionalPropertyTypes: true, noEmit: true, types: ['node'] };
const typeTests = readdirSync(import.meta.dirname).filter((file) => file.includes('.test-d.'));

/** The type tests beside this file, where nothing is installed but what a host has: no type of a bundled library can be found. */
async function hostWithTypeTests(home: TemporaryHome, resolution: object): Promise<string> {
  const modules = home.file('host/node_modules/.keep', '').slice(0, -'/.keep'.length);
  cpSync(await packedPackage(), join(modules, 'daemonry'), { recursive: true });
  for (const name of ['@types/node', 'clipanion', 'vitest']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
  }
  for (const file of typeTests) cpSync(join(import.meta.dirname, file), home.file(`host/${file}`));
  home.file('host/package.json', '{ "type": "module" }');
  home.file('host/tsconfig.json', JSON.stringify({ compilerOptions: { ...compilerOptions, ...resolution } }));
  return home.file('host');
}

describe.concurrent('the packed declarations', () => {
  const nodes = { module: 'nodenext', skipLibCheck: false };
  const bundlers = { module: 'preserve', moduleResolution: 'bundler', skipLibCheck: false };
  test.for([
    ['the compiler of this project', 'typescript-7', nodes],
    ['the last one in JavaScript', 'typescript', nodes],
    ['what bundlers resolve', 'typescript-7', bundlers],
  ] as const)('are what the type tests say, for %s', async ([, compiler, resolution], { home }) => {
    const cwd = await hostWithTypeTests(home, resolution);
    const tsc = join(projectRoot, 'node_modules', compiler, 'bin', 'tsc');
    expect(await home.spawn(process.execPath, [tsc, '-p', '.'], { cwd }).end()).toMatchObject({ stdout: '', exitCode: 0 });
  });
});

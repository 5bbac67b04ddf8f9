import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { commandLine, fixture, libraryFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** The names of the files that a program has loaded. */
async function loadedBy(home: TemporaryHome, ...args: readonly string[]): Promise<readonly string[]> {
  const list = home.file(`loaded-${Math.random()}`);
  const end = await home
    .spawn(process.execPath, ['--require', fixture('lists-its-modules.cjs'), ...args], { env: { LOADED_MODULES: list } })
    .end();
  expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  const files = readFileSync(list, 'utf8').split('\n');
  return files
    .map((file) => basename(file))
    .filter((file) => file !== 'lists-its-modules.cjs')
    .sort();
}

describe.concurrent('what is loaded', () => {
  test('by the verbs: what they need, and nothing that is for Windows', async ({ home }) => {
    const verb = (...args: readonly string[]) => loadedBy(home, '--', commandLine, ...args);
    expect(await verb('start', 'x', '--', 'sleep', '1000')).toEqual(['daemonry.cjs', 'entry.cjs', 'run-verb.cjs']);
    expect(await verb('status', 'x')).toEqual(['daemonry.cjs', 'entry.cjs']);
    expect(await verb('stop', 'x')).toEqual(['daemonry.cjs', 'entry.cjs', 'run-verb.cjs']);
    for (const one of ['list', 'doctor']) expect(await verb(one)).not.toContain('windows.cjs');
  });

  test('by a program that uses the library: nothing that is for Windows', async ({ home }) => {
    const script = `import(${JSON.stringify(libraryFile)}).then(({ defineDaemon }) =>
      defineDaemon({ name: 'x', command: 'sleep', home: ${JSON.stringify(home.path)} }).status())`;
    expect(await loadedBy(home, '-e', script)).toEqual([]);
    const built = dirname(libraryFile);
    const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((file) => /\.c?js$/.test(file));
    expect(files.filter((file) => readFileSync(join(built, file), 'utf8').includes('CreateProcessW'))).toEqual(['windows.cjs']);
  });
});

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { describe, expect } from 'vitest';
import { callsFlock, commandLine, fixture, libraryFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** Of Node's own modules those that take milliseconds to load. */
const heavy = [
  'child_process',
  'net',
  'stream',
  'http',
  'https',
  'crypto',
  'url',
  'vm',
  'worker_threads',
  'fs/promises',
  'util',
  'perf_hooks',
];

/** The names of the files that a program has loaded, and of Node's heavy modules. */
async function loadedBy(home: TemporaryHome, ...args: readonly string[]): Promise<readonly string[]> {
  const list = home.file(`loaded-${Math.random()}`);
  const end = await home
    .spawn(process.execPath, ['--require', fixture('lists-its-modules.cjs'), ...args], { env: { LOADED_MODULES: list } })
    .end();
  expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  const files = readFileSync(list, 'utf8').split('\n');
  return files
    .filter((file) => (isAbsolute(file) ? basename(file) !== 'lists-its-modules.cjs' : heavy.includes(file.replace('node:', ''))))
    .map((file) => (isAbsolute(file) ? basename(file) : file))
    .sort();
}

describe.concurrent('what is loaded', () => {
  test('by the verbs: what they need, and nothing that is for Windows', async ({ home }) => {
    const verb = (...args: readonly string[]) => loadedBy(home, '--', commandLine, ...args);
    const acting = ['acting.cjs', 'daemonry.cjs', ...(callsFlock ? ['koffi.node'] : []), 'load-acting.cjs'];
    const spawning = ['node:child_process', 'node:net', 'node:stream'];
    expect(await verb('start', 'x', '--', 'sleep', '1000')).toEqual([...acting, ...spawning, 'node:vm']);
    for (const reading of [['status', 'x'], ['list'], ['status', '--json']])
      expect(await verb(...reading), reading.join(' ')).toEqual(['daemonry.cjs', 'entry.cjs']);
    // Nobody listens there who would have to be asked; only a helper for the lock has to be spawned.
    expect(await verb('stop', 'x')).toEqual([...acting, ...(process.platform === 'linux' && !callsFlock ? spawning : []), 'node:vm']);
    expect(await verb('doctor')).not.toContain('windows.cjs');
  });

  test('by a program that uses the library: nothing that is for Windows', async ({ home }) => {
    const script = `import(${JSON.stringify(libraryFile)}).then(({ defineDaemon }) =>
      defineDaemon({ name: 'x', command: 'sleep', home: ${JSON.stringify(home.path)} }).status())`;
    expect((await loadedBy(home, '-e', script)).filter((file) => !file.startsWith('node:'))).toEqual([]);
    const built = dirname(libraryFile);
    const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((file) => /\.c?js$/.test(file));
    expect(files.filter((file) => readFileSync(join(built, file), 'utf8').includes('CreateProcessW'))).toEqual(['windows.cjs']);
  });
});

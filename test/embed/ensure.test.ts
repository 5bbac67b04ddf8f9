import { describe, expect } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { loadLibrary } from '../support/library.js';
import { isAlive } from '../support/processes.js';
import { fixture, libraryFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

const { defineDaemon } = loadLibrary();

function optionsOf(home: TemporaryHome, version?: string): DaemonOptions {
  return { name: 'acme', command: 'sleep', args: ['1000'], cwd: home.folder, home: home.path, version };
}

const acme = (home: TemporaryHome, version?: string) => defineDaemon(optionsOf(home, version));

describe.concurrent('ensure', () => {
  test('starts what does not run, and finds what does', async ({ home }) => {
    const first = await acme(home, '1.0.0').ensure();
    expect(first.outcome).toBe('started');
    expect(await acme(home, '1.0.0').ensure()).toEqual({ ...first, outcome: 'already-running' });
    expect(home.processes()).toHaveLength(1);
  });

  test('replaces an older version (F49)', async ({ home }) => {
    const old = await acme(home, '1.9.0').ensure();
    const replaced = await acme(home, '1.10.0').ensure();
    expect(replaced).toMatchObject({ outcome: 'replaced', version: '1.10.0' });
    expect([isAlive(old.pid), isAlive(replaced.pid)]).toEqual([false, true]);
    expect(home.descriptor('acme')).toMatchObject({ version: '1.10.0', pid: replaced.pid });
  });

  test('never replaces a newer version, and says which one runs (F50)', async ({ home }) => {
    const current = await acme(home, '2.0.0').ensure();
    expect(await acme(home, '1.0.0').ensure()).toEqual({ ...current, outcome: 'already-running' });
    expect(await acme(home, '2.0.0-rc.1').ensure()).toEqual({ ...current, outcome: 'already-running' });
    expect(isAlive(current.pid)).toBe(true);
  });

  test.for([
    [undefined, '1.0.0'],
    ['1.0.0', undefined],
    ['nightly', '1.0.0'],
    ['1.0.0', 'nightly'],
  ])('leaves %s alone for %s, which are in no order', async ([running, wanted], { home }) => {
    const first = await acme(home, running).ensure();
    expect(await acme(home, wanted).ensure()).toEqual({ ...first, outcome: 'already-running' });
  });

  test('starts what is stale', async ({ home }) => {
    home.forge('acme', { version: '9.0.0' });
    expect(await acme(home, '1.0.0').ensure()).toMatchObject({ outcome: 'started', version: '1.0.0' });
  });
});

describe('ensure of many programs at once', () => {
  const ensureIn = async (home: TemporaryHome, version: string) =>
    (await home.spawn(process.execPath, [fixture('ensures.mjs'), libraryFile, JSON.stringify(optionsOf(home, version))]).end()).json;

  test('gives one daemon to 50, and its pid to each (F11)', async ({ home }) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => ensureIn(home, '1.0.0')));
    const { pid } = home.descriptor('acme');
    expect(new Set(answers.map((answer) => answer.pid))).toEqual(new Set([pid]));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual([...Array(49).fill('already-running'), 'started']);
    expect(home.processes()).toMatchObject([{ pid }]);
  });

  test('of two versions ends with the newer, which nobody takes down again (F50)', async ({ home }) => {
    const versions = Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? '1.0.0' : '2.0.0'));
    const answers = await Promise.all(versions.map((version) => ensureIn(home, version)));
    const { pid, version } = home.descriptor('acme');
    expect(version).toBe('2.0.0');
    const newer = answers.filter((_, index) => versions[index] === '2.0.0');
    expect(new Set(newer.map((answer) => answer.pid))).toEqual(new Set([pid]));
    expect(answers.filter((answer) => answer.version === '2.0.0').every((answer) => answer.pid === pid)).toBe(true);
    // It came up once: as the first, or in the place of the older one.
    expect(answers.filter((answer) => answer.version === '2.0.0' && answer.outcome !== 'already-running')).toHaveLength(1);
    expect(home.processes()).toMatchObject([{ pid }]);
  });
});

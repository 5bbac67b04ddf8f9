import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lastingNode } from '../../../src/adapters/autostart/lasting-node.js';
import { launcherScript } from '../../../src/adapters/autostart/launcher-script.js';
import { fc } from '../../domain/property.js';

const strange = `it's 100% "$HOME" \\ ü`;

let folder = '';
beforeEach(() => {
  folder = join(realpathSync(mkdtempSync(join(tmpdir(), 'launcher-'))), strange);
});
afterEach(() => rmSync(dirname(folder), { recursive: true, force: true }));

/** A file that says what it is given, with the name by which it was found. */
function tells(path: string, as: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n[ "$1" = -e ] && exit 0\nprintf '%s|' ${as} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

function touch(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  return path;
}

function launch(target: { node: string; program: string }, env: Record<string, string> = {}) {
  const script = touch(join(folder, 'launcher'));
  writeFileSync(script, launcherScript({ home: folder, ...target }));
  const options = { env: { PATH: '/usr/bin:/bin', HOME: join(folder, 'user'), ...env }, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync('/bin/sh', [script, 'daemonry-clock'], options);
  return { status, stdout, stderr };
}

const said = (as: string, program: string) => ({
  status: 0,
  stdout: [as, '--max-semi-space-size=1', '--', program, folder, 'daemonry-clock', ''].join('|'),
  stderr: '',
});

describe('the launcher', () => {
  it('runs what is on record, in a home of any name', () => {
    const node = tells(join(folder, 'node 20', 'bin', 'node'), 'recorded');
    const program = touch(join(folder, 'daemonry', 'dist', 'service.js'));
    expect(launch({ node, program })).toEqual(said('recorded', program));
  });

  it('finds the newest Node of nvm, and the daemonry in it, when those on record are gone', () => {
    const versions = join(folder, 'user', '.nvm', 'versions', 'node');
    for (const version of ['v9.11.2', 'v22.2.0', 'v22.10.0', 'v18.20.4']) tells(join(versions, version, 'bin', 'node'), version);
    const program = touch(join(versions, 'v22.10.0', 'lib', 'node_modules', 'daemonry', 'dist', 'service.js'));
    expect(launch({ node: '/gone/bin/node', program: '/gone/service.js' })).toEqual(said('v22.10.0', program));
  });

  it('finds the Node in PATH, and the daemonry of the command there', () => {
    const bin = join(folder, 'prefix', 'bin');
    tells(join(bin, 'node'), 'in-path');
    const program = touch(join(folder, 'elsewhere', 'daemonry', 'dist', 'service.js'));
    chmodSync(touch(join(folder, 'elsewhere', 'daemonry', 'bin', 'daemonry.cjs')), 0o755);
    symlinkSync(join(folder, 'elsewhere', 'daemonry', 'bin', 'daemonry.cjs'), join(bin, 'daemonry'));
    expect(launch({ node: '/gone/bin/node', program: '/gone/service.js' }, { PATH: `${bin}:/usr/bin:/bin` })).toEqual(
      said('in-path', program),
    );
  });

  it('passes over a Node that is too old', () => {
    const bin = join(folder, 'old');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'node'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const volta = tells(join(folder, 'user', '.volta', 'bin', 'node'), 'volta');
    const program = touch(join(folder, 'service.js'));
    expect(volta).toBeTruthy();
    expect(launch({ node: '/gone', program }, { PATH: `${bin}:/usr/bin:/bin` })).toEqual(said('volta', program));
  });

  const isInstalled = ['/usr/local/bin/daemonry', '/usr/bin/daemonry', '/usr/local/lib/node_modules/daemonry'].some((path) =>
    existsSync(path),
  );
  it.skipIf(isInstalled)('says what it has not found, and ends as a shell does then (needs a machine without daemonry)', () => {
    const node = tells(join(folder, 'bin', 'node'), 'recorded');
    const end = launch({ node, program: '/gone/service.js' });
    expect(end).toMatchObject({ status: 127, stdout: '', stderr: expect.stringContaining('it was /gone/service.js') });
  });

  it('has the folder of its Node in PATH, and leaves every other variable as it is', () => {
    const node = join(folder, 'bin', 'node');
    mkdirSync(dirname(node), { recursive: true });
    writeFileSync(node, '#!/bin/sh\nprintf "%s|" "$PATH" "$home" "$node" "$one"\n', { mode: 0o755 });
    const end = launch({ node, program: touch(join(folder, 'service.js')) }, { home: 'a', node: 'b', one: 'c' });
    expect(end.stdout).toMatch(new RegExp(`^${dirname(node).replace(/[\\$"^.*+?()[\]{}|]/g, '\\$&')}:/usr/bin:/bin[^|]*\\|a\\|b\\|c\\|$`));
  });

  it('is a script that any shell reads, whatever the paths in it are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("'", '"', '$', '`', '\\', '\n', '%', ' ', 'é', ';') }), { minLength: 3, maxLength: 3 }),
        ([home = '', node = '', program = '']) => {
          const script = launcherScript({ home, node, program }).replace(
            /\nfits\(\)[\s\S]*$/,
            '\nprintf "%s\\0" "$d_home" "$d_node" "$d_program"\n',
          );
          const { stdout } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
          expect(stdout.split('\0')).toEqual([home, node, program, '']);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe('the path of a Node', () => {
  it('of Homebrew is the one that stays over an upgrade, where that is there', () => {
    const cellar = '/opt/homebrew/Cellar/node/24.1.0/bin/node';
    expect(lastingNode(cellar, () => true)).toBe('/opt/homebrew/opt/node/bin/node');
    expect(lastingNode(cellar, () => false)).toBe(cellar);
    expect(lastingNode('/usr/local/Cellar/node@22/22.9.0/bin/node', () => true)).toBe('/usr/local/opt/node@22/bin/node');
    expect(lastingNode('/home/ann/.nvm/versions/node/v24.1.0/bin/node', () => true)).toBe('/home/ann/.nvm/versions/node/v24.1.0/bin/node');
  });
});

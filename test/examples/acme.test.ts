import { describe, expect } from 'vitest';
import { installExample } from '../support/packed.js';
import { shellLines } from '../support/readme.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** Runs a block of its README in a clean folder, in which `npm install` has nothing left to do. */
async function runReadme(home: TemporaryHome, block: number) {
  const folder = home.file('acme');
  await installExample('acme', folder, ['clipanion', 'vitest']);
  home.file('bin/npm', '#!/bin/sh\nexit 0\n', 0o755);
  home.file('bin/npx', `#!/bin/sh\nshift\nexec "${process.execPath}" node_modules/vitest/vitest.mjs "$@"\n`, 0o755);
  const PATH = `${home.file('bin')}:${process.env.PATH}`;
  return home.spawn('sh', ['-e', '-c', shellLines('acme', block)], { cwd: folder, env: { PATH, NO_COLOR: '1' } }).end();
}

describe.concurrent('examples/acme', () => {
  test('does what its README says, in a clean folder with the packed daemonry', async ({ home }) => {
    expect(shellLines('acme')).toContain('node acme.js daemon status');
    const end = await runReadme(home, 0);
    // The last one tells that it is stopped.
    expect(end).toMatchObject({ exitCode: 3, stderr: '' });
    expect(end.stdout).toMatch(
      new RegExp(
        [
          '^hello, you: you are number 1',
          'hello, them: you are number 2',
          'acmed is running \\(pid (\\d+)\\)',
          'greeted them',
          'acmed restarted \\(pid (\\d+)\\)',
          'hello, you: you are number 1',
          'acmed stopped \\(pid \\2\\)',
          'acmed is stopped\n$',
        ].join('\n'),
      ),
    );
    expect(home.processes()).toEqual([]);
  });

  test('its tests pass, with a pool of daemons and on a simulated machine, and leave nothing behind', async ({ home }) => {
    expect(shellLines('acme', 1)).toBe('npx vitest run\n');
    const end = await runReadme(home, 1);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/ 4 passed /);
    expect(home.processes()).toEqual([]);
  });
});

import { describe, expect } from 'vitest';
import { installExample, runReadme } from '../support/packed.js';
import { shellLines } from '../support/readme.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

async function runReadmeOfAcme(home: TemporaryHome, block: number) {
  const folder = home.file('acme');
  await installExample('acme', folder);
  return runReadme(home, 'acme', folder, { block }).end();
}

describe.concurrent('examples/acme', () => {
  test('does what its README says, in a clean folder with the packed daemonry', async ({ home }) => {
    expect(shellLines('acme')).toContain('node acme.js daemon status');
    const end = await runReadmeOfAcme(home, 0);
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
    const end = await runReadmeOfAcme(home, 1);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/ 4 passed /);
    expect(home.processes()).toEqual([]);
  });
});

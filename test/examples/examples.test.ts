import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { installExample, runReadme } from '../support/packed.js';
import { isAlive } from '../support/processes.js';
import { shellLines } from '../support/readme.js';
import { commandLine, projectRoot } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';

/** Runs a script in the project's root as a reader of the documentation would, less the time that npx takes. */
function runInRoot(home: TemporaryHome, script: string) {
  home.file('bin/npx', `#!/bin/sh\nshift\nexec "${process.execPath}" "${commandLine}" "$@"\n`, 0o755);
  return home.spawn('sh', ['-e', '-c', script], { cwd: projectRoot, env: { PATH: `${home.file('bin')}:${process.env.PATH}` } }).end();
}

/** Runs a block of its README in a clean folder with the packed daemonry. */
async function runIn(home: TemporaryHome, example: string, block = 0) {
  const folder = home.file(example);
  await installExample(example, folder);
  return runReadme(home, example, folder, { block }).end();
}

describe.concurrent('examples/clock', () => {
  test('does what its README says, in a clean folder with the packed daemonry', async ({ home }) => {
    expect(shellLines('clock')).toContain('npx daemonry start clock');
    const end = await runIn(home, 'clock');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(
      /^clock started \(pid \d+\)\n\{ now: '\d{4}-[^']+', ticks: \d+ \}\nclock serves at .*\n(tick .*\n)*clock stopped \(pid \d+\)\n$/,
    );
    expect(home.log('clock')).toContain('ticks (shutdown)');
  });

  test('its client starts the daemon where it does not run', async ({ home }) => {
    const end = await runInRoot(home, 'node examples/clock/client.mjs');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(/^\{ now: '\d{4}-[^']+', ticks: \d+ \}\n$/);
    expect(isAlive(home.descriptor('clock').pid)).toBe(true);
  });
});

describe.concurrent('examples/any-command', () => {
  test('does what its README says, in a clean folder with the packed daemonry', async ({ home }) => {
    expect(shellLines('any-command')).toContain('npx daemonry start beat');
    const end = await runIn(home, 'any-command');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(
      /^beat started \(pid (\d+)\)\nbeat is running \(pid \1\)\nbeat \d\d:\d\d:\d\d\nbeat restarted \(pid (\d+)\)\nbeat stopped \(pid \2\)\n$/,
    );
    expect(home.processes()).toEqual([]);
  });

  test('its script runs, and leaves nothing behind', async ({ home }) => {
    expect(shellLines('any-command', 1)).toBe('sh run.sh\n');
    const end = await runIn(home, 'any-command', 1);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(
      /^beat started \(pid (\d+)\)\nits process is \1, and it said:\nbeat \d\d:\d\d:\d\d\nbeat stopped \(pid \1\)\n$/,
    );
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('examples/shop', () => {
  test('does what its README says, in the order of its dependencies', async ({ home }) => {
    expect(shellLines('shop')).toContain('npx daemonry up\n');
    const end = await runIn(home, 'shop');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    const said = end.stdout.split('\n');
    expect(said[0]).toMatch(/daemonry\.yaml is valid: project shop, 6 daemons$/);
    const at = (text: string) => said.findIndex((line) => line.startsWith(text));
    expect(Math.max(at('shop.db started'), -1)).toBeGreaterThan(0);
    expect(at('shop.migrate ran to its end (exit code 0)')).toBeGreaterThan(at('shop.db started'));
    for (const name of ['api', 'worker']) expect(at(`shop.${name} started`)).toBeGreaterThan(at('shop.migrate ran'));
    expect(at('shop.web started')).toBeGreaterThan(at('shop.api started'));
    expect(said.filter((line) => /^keep +shop\./.test(line))).toHaveLength(6);
    expect(at('shop.db stopped')).toBeGreaterThan(at('shop.api stopped'));
    expect(at('shop.api stopped')).toBeGreaterThan(at('shop.web stopped'));
  });

  test('is what the README of the project shows, as it stands there', async ({ home }) => {
    const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8');
    const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    expect(shown).toBe(readFileSync(join(projectRoot, 'examples', 'shop', 'daemonry.yaml'), 'utf8'));
    const [, line = ''] = /```sh\n(npx daemonry up [^\n]*)\n/.exec(readme) ?? [];
    const end = await runInRoot(home, line);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(home.descriptor('shop.web').phase).toBe('ready');
  });
});

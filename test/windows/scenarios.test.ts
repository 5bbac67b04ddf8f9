import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { RunningProgram } from '../support/command-line.js';
import { packageRoot, projectRoot } from '../support/suite.js';
import { type Answer, describeWindowsScenarios } from './scenarios.js';

/** On Windows itself. Under Wine they run in a row of the container matrix. */
describe.skipIf(process.platform !== 'win32')('daemonry on Windows', () => {
  const home = mkdtempSync(join(tmpdir(), 'daemonry-'));
  afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

  const run = async (file: string, ...args: readonly string[]): Promise<Answer> => {
    const env = { ...process.env, DAEMONRY_HOME: home, NODE_EXTRA_CA_CERTS: undefined };
    const { exitCode, stdout, stderr } = await new RunningProgram(file, args, { env, cwd: home }).end();
    return { exitCode, stdout, stderr, json: stdout.startsWith('{') ? JSON.parse(stdout) : {} };
  };
  const can = { consoleBreak: true, windowsQuoting: true, npmShims: false };
  const fixtures = join(projectRoot, 'test', 'windows', 'fixtures');
  describeWindowsScenarios({ can, node: process.execPath, packageFolder: packageRoot, fixtures, run }, (title, body, needs) => {
    if (needs && !can[needs]) it.skip(`${title} [no ${needs} here]`);
    else it(title, body);
  });
});

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../support/suite.js';

test('the public surface is the one in docs/api-report, every export of it has a comment, and every type that it names can be imported', async () => {
  const said = await new Promise((resolve) =>
    execFile(process.execPath, [join(projectRoot, 'scripts', 'api-report.mjs')], (_, stdout, stderr) => resolve(stdout + stderr)),
  );
  expect(said).toBe('');
});

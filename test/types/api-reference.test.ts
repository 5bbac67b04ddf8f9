import { expect } from 'vitest';
import { projectRoot } from '../support/suite.js';
import { test } from '../support/temporary-home.js';

test('the API reference is made without a warning: no comment names what is not there', async ({ home }) => {
  const typedoc = ['run', 'docs:api', '--silent', '--', '--emit', 'none', '--logLevel', 'Warn'];
  const end = await home.spawn('npm', typedoc, { cwd: projectRoot, env: { NO_COLOR: '1' } }).end();
  expect(end).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
});

import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findTool } from '../../../src/adapters/posix/find-executable.js';
import { Programs } from './programs.js';

describe.skipIf(process.platform !== 'linux')('a launch that is taken back (needs Linux)', () => {
  const programs = new Programs();

  beforeAll(() => programs.bundle('abort-program'));
  afterAll(() => programs.remove());

  it('is waited for even where its gate has to be killed', () => {
    const command = findTool('true', process.env.PATH) as string;
    const { status, stdout } = spawnSync(process.execPath, [programs.path('abort-program'), programs.folder, command], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, '{"exitCode":null,"signal":"SIGKILL"}']);
  });
});

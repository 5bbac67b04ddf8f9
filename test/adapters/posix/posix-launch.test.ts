import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { LinuxProcessInspector } from '../../../src/adapters/linux/linux-process-inspector.js';
import { PosixLaunch } from '../../../src/adapters/posix/posix-launch.js';

const inspector = new LinuxProcessInspector(process.env);

test.skipIf(process.platform !== 'linux')(
  'a launch (needs Linux): is let go of also where a child does not let its stdin be set, as in Bun',
  async () => {
    const child = spawn(process.execPath, ['-e', 'process.exit(7)'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
    Object.defineProperty(child, 'stdin', { get: () => null });
    const launch = await PosixLaunch.of(child, inspector, undefined);
    launch.release();
    child.ref();
    expect(await launch.ended(new AbortController().signal)).toEqual({ exitCode: 7, signal: null });
  },
);

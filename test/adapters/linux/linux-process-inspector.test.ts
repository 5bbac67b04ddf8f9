import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { LinuxProcessInspector } from '../../../src/adapters/linux/linux-process-inspector.js';
import { processFacts } from '../../support/processes.js';
import { waitFor } from '../../support/wait-for.js';

const hasPython = process.platform === 'linux' && spawnSync('python3', ['-c', 'import ctypes, threading']).status === 0;

test.skipIf(!hasPython)(
  'hasExecuted: a process whose first thread has ended has no words, and is no gate (needs Linux and python3)',
  async () => {
    const lines = [
      'import ctypes, threading, time',
      'threading.Thread(target=lambda: time.sleep(1000)).start()',
      'ctypes.CDLL(None).pthread_exit(None)',
    ];
    const child = spawn('python3', ['-c', lines.join('\n')], { stdio: 'ignore' });
    try {
      const pid = child.pid as number;
      await waitFor('the end of its first thread', () => processFacts(pid)?.state === 'Z');
      expect(new LinuxProcessInspector(process.env).hasExecuted(pid)).toBe(true);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  },
);

// Takes the lifecycle lock as a process of its own and does what stdin says, one word a line:
// `take` (answers `held`, or the code of the failure), `release` (answers `free`). Ends with stdin.
import { createInterface } from 'node:readline';
import { FileDescriptorRepo } from '../../../../src/adapters/files/file-descriptor-repo.js';
import { Flock } from '../../../../src/adapters/linux/flock.js';
import { LinuxProcessInspector } from '../../../../src/adapters/linux/linux-process-inspector.js';
import { FileLifecycleLock, type KernelLock } from '../../../../src/adapters/posix/file-lifecycle-lock.js';
import { SystemClock } from '../../../../src/adapters/system-clock.js';
import { isDaemonError } from '../../../../src/domain/daemon-error.js';
import type { HeldLock } from '../../../../src/domain/ports.js';

const [, , home = '', kind, timeoutMs = '60000'] = process.argv;

/** As where neither util-linux nor busybox is installed. */
const noKernelLock: KernelLock = { openFlags: 0, lock: async () => 'unavailable' };

const lock = new FileLifecycleLock({
  clock: new SystemClock(),
  repo: new FileDescriptorRepo({ home, env: process.env, platform: process.platform }),
  inspector: new LinuxProcessInspector(process.env),
  kernelLock: kind === 'claim' ? noKernelLock : new Flock(process.env),
  claimsFirst: kind === 'haste',
});

let held: HeldLock | undefined;

async function obey(word: string): Promise<string> {
  if (word === 'release') {
    await held?.release();
    held = undefined;
    return 'free';
  }
  try {
    held = await lock.acquire({ name: 'shared' }, { timeoutMs: Number(timeoutMs) });
    return 'held';
  } catch (error) {
    return isDaemonError(error) ? `${error.code} ${error.facts.pid ?? ''}`.trim() : String(error);
  }
}

for await (const word of createInterface({ input: process.stdin })) process.stdout.write(`${await obey(word)}\n`);

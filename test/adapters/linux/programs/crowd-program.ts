// Takes the lifecycle lock again and again and marks each turn with a folder, which only one process can make at a time.
// Prints how many turns it had, or `overlap` where somebody else was in.
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { FileDescriptorRepo } from '../../../../src/adapters/files/file-descriptor-repo.js';
import { Flock } from '../../../../src/adapters/linux/flock.js';
import { LinuxProcessInspector } from '../../../../src/adapters/linux/linux-process-inspector.js';
import { FileLifecycleLock, type KernelLock } from '../../../../src/adapters/posix/file-lifecycle-lock.js';
import { SystemClock } from '../../../../src/adapters/system-clock.js';

const [, , home = '', kind, turns = '1'] = process.argv;

const noKernelLock: KernelLock = { openFlags: 0, lock: async () => 'unavailable' };
const clock = new SystemClock();
const lock = new FileLifecycleLock({
  clock,
  repo: new FileDescriptorRepo({ home, env: process.env, platform: process.platform }),
  inspector: new LinuxProcessInspector(process.env),
  kernelLock: kind === 'claim' ? noKernelLock : new Flock(process.env),
  claimsFirst: kind === 'haste',
});

const inside = join(home, '.inside');

for (let turn = 0; turn < Number(turns); turn++) {
  const held = await lock.acquire({ name: 'shared' }, { timeoutMs: 60_000 });
  try {
    mkdirSync(inside);
    await clock.sleep(2);
    rmdirSync(inside);
  } catch (error) {
    process.stdout.write(`overlap ${String(error)}\n`);
    process.exit(1);
  }
  await held.release();
}
process.stdout.write(`${turns}\n`);

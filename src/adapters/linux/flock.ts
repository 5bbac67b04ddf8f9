import { spawn, spawnSync } from 'node:child_process';
import type { KernelLock, KernelLockOutcome } from '../posix/file-lifecycle-lock.js';
import { findTool } from '../posix/find-executable.js';
import { flockNow } from './flock-call.js';

/**
 * flock(2) on our own open file: by a call where nobody holds it, else through util-linux or busybox `flock`, so that waiters
 * queue in the kernel. The lock belongs to the open file that helper and we share, so it stays when the helper is gone.
 */
export class Flock implements KernelLock {
  readonly openFlags = 0;
  private command: readonly [string, ...string[]] | undefined | null = null;

  constructor(private readonly env: Readonly<Record<string, string | undefined>>) {}

  async lock(fd: number, waitMs: number, signal: AbortSignal | undefined): Promise<KernelLockOutcome> {
    if (this.command === null) this.command = findFlock(this.env.PATH);
    if (!this.command) return 'unavailable';
    if (flockNow(fd)) return 'locked';
    const [file, ...args] = this.command;
    // No option of flock's own for the time-out: busybox has none.
    return new Promise((resolve) => {
      const helper = spawn(file, [...args, '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
      const giveUp = () => helper.kill('SIGKILL');
      const timer = setTimeout(giveUp, Math.min(waitMs, 2_147_483_647));
      if (signal?.aborted) giveUp();
      else signal?.addEventListener('abort', giveUp);
      const done = (outcome: KernelLockOutcome) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        resolve(outcome);
      };
      helper.once('error', () => done('unavailable'));
      // Killed, by us or by somebody's Ctrl-C: it said nothing about locks. Any other failure means that it can't lock here.
      helper.once('exit', (code) => done(code === 0 ? 'locked' : code === null ? 'busy' : 'unavailable'));
    });
  }
}

/** Whether there is a flock at all: a busybox may be built without. */
export function hasFlock(path: string | undefined): boolean {
  const [file, ...args] = findFlock(path) ?? [];
  return file !== undefined && spawnSync(file, [...args, '--help'], { stdio: 'ignore' }).status === 0;
}

function findFlock(path: string | undefined): readonly [string, ...string[]] | undefined {
  const flock = findTool('flock', path);
  if (flock) return [flock];
  const busybox = findTool('busybox', path);
  return busybox ? [busybox, 'flock'] : undefined;
}

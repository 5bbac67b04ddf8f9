import type { KernelLock, KernelLockOutcome } from './file-lifecycle-lock.js';

/** For whoever claims the lock in writing only, which the others obey as well. */
export class NoKernelLock implements KernelLock {
  readonly openFlags = 0;

  async lock(): Promise<KernelLockOutcome> {
    return 'unavailable';
  }
}

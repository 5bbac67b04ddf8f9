import type { KernelLock, KernelLockOutcome } from '../posix/file-lifecycle-lock.js';

/** `O_EXLOCK` of macOS's `sys/fcntl.h`; Node has no name for it. */
const openExclusively = 0x20;

/**
 * The lock of flock(2), taken by `open` itself: with `O_NONBLOCK` it fails with EAGAIN while another open file holds it,
 * and with ENOTSUP on file systems that have no locks, which the opener turns into `unavailable`.
 */
export class Exlock implements KernelLock {
  readonly openFlags = openExclusively;

  async lock(): Promise<KernelLockOutcome> {
    return 'locked';
  }
}

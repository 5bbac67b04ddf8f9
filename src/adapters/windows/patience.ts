import { isDaemonError } from '../../domain/daemon-error.js';
import { blockThread } from '../block-thread.js';
import { monotonicMs } from '../monotonic-ms.js';

/** Windows refuses to replace or open what a reader, an indexer or a virus scanner has open, for as long as that takes. */
const passing = ['EPERM', 'EBUSY', 'EACCES'];
const firstWaitMs = 10;
const longestWaitMs = 250;
const patienceMs = 2_000;

/** Tries again while somebody else has the file open, and fails as the last attempt did. Blocks: it is a matter of milliseconds. */
export function patiently<T>(work: () => T): T {
  const giveUpAt = monotonicMs() + patienceMs;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return work();
    } catch (error) {
      if (!isPassing(error) || monotonicMs() + waitMs > giveUpAt) throw error;
      blockThread(waitMs);
    }
  }
}

export function isPassing(error: unknown): boolean {
  const errno = isDaemonError(error) ? error.facts.errno : (error as NodeJS.ErrnoException | undefined)?.code;
  return passing.includes(String(errno));
}

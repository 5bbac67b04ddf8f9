/** How long an expression may take over one chunk: there are some that never come to an end on some lines. */
const timeoutMs = 500;
const maxAttempts = 10;

/**
 * `undefined` where it took too long. Only the engine itself can interrupt a regular expression, and does so through `vm`, by
 * the clock on the wall: on a busy machine that time may pass while we hardly run, and then the work begins anew.
 */
export function inTime<T>(work: () => T): T | undefined {
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  const before = process.cpuUsage();
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    try {
      return runInNewContext('work()', { work }, { timeout: timeoutMs }) as T;
    } catch {
      const { user, system } = process.cpuUsage(before);
      // Microseconds. Half of the time is enough to tell an expression at work from one that was kept waiting.
      if (user + system >= timeoutMs * 500) return undefined;
    }
  }
  return undefined;
}

const quickPollMs = 5;
const slowestPollMs = 100;

/** Polls until `look` gives something true, and returns that. Fails, naming what was waited for, when the time is over. */
export async function waitFor<T>(what: string | (() => string), look: () => T | Promise<T>, timeoutMs = 30_000): Promise<T> {
  const beganMs = performance.now();
  const deadline = beganMs + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : what()}`);
    // What comes is mostly there at once; what is long in coming is not to be kept from its core.
    const waitedMs = performance.now() - beganMs;
    const pollMs = waitedMs < 2_000 ? Math.min(Math.max(waitedMs, 1), quickPollMs) : slowestPollMs;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

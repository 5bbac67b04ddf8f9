const pollMs = 5;

/** Polls until `look` gives something true, and returns that. Fails, naming what was waited for, when the time is over. */
export async function waitFor<T>(what: string | (() => string), look: () => T | Promise<T>, timeoutMs = 15_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

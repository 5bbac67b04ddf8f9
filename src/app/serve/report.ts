import { writeSync } from 'node:fs';

/** One line on stderr, which is the daemon's log: what went wrong, never where in the code. */
export function report(what: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  try {
    writeSync(2, `daemonry: ${what}: ${reason}`.replaceAll(/\s*[\r\n]+\s*/g, ' ').concat('\n'));
  } catch {
    // Nobody can read it, then.
  }
}

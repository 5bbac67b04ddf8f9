import { LogClock } from '../../adapters/files/log-clock.js';
import { LogLines } from '../../adapters/files/log-lines.js';
import type { Clock } from '../../domain/ports.js';

/** Which lines of a log. */
export interface LogWish {
  /** How many, the last ones. */
  readonly lines: number;
  readonly since: Date | undefined;
}

const pollMs = 100;

/** What was written since a moment, as far as that is known: the last lines of it, the oldest first. */
export function linesSince(path: string, wish: LogWish): readonly string[] {
  const log = openLog(path, wish.since);
  try {
    return last([...present(log, path), ...log.rest().map(({ text }) => text)], wish.lines);
  } finally {
    log.close();
  }
}

/** What is there of it, then what comes, each line once it has an end; over rotation and restart. Ends when `signal` aborts. */
export async function* followLog(path: string, wish: LogWish, clock: Clock, signal?: AbortSignal): AsyncGenerator<string, void> {
  const log = openLog(path, wish.since);
  try {
    yield* last(present(log, path), wish.lines);
    while (!signal?.aborted) {
      const lines = log.read();
      for (const { text } of lines ?? []) {
        if (signal?.aborted) return;
        yield text;
      }
      if (lines === undefined) await clock.sleep(pollMs, signal);
    }
  } finally {
    log.close();
  }
}

function openLog(path: string, since: Date | undefined): LogLines {
  return new LogLines(path, since === undefined ? 'oldest' : LogClock.read(path).offsetSince(since.getTime()));
}

/** Up to the end that it has now: a daemon may write faster than anybody reads. */
function present(log: LogLines, path: string): readonly string[] {
  const probe = new LogLines(path, 'end');
  const end = probe.offset;
  probe.close();
  const lines: string[] = [];
  while (log.offset < end) {
    const more = log.read();
    if (!more) break;
    for (const { text } of more) lines.push(text);
  }
  return lines;
}

function last(lines: readonly string[], count: number): readonly string[] {
  return count === 0 ? [] : lines.slice(-count);
}

import type { ReadySubject } from '../../domain/ports.js';
import { inTime } from '../bounded-work.js';
import { LogFollower } from '../files/log-follower.js';
import { maxLineBytes } from './message-lines.js';

const newline = 0x0a;
const carriageReturn = 0x0d;
const chunkBytes = 64 * 1024;
/** How much one check reads: a daemon that writes faster than we read must not keep us for ever. */
const checkBytes = 4 * 1024 * 1024;
/** How many unfinished searches are remembered. */
const maxSearches = 64;

interface Search {
  readonly log: LogFollower;
  /** The beginning of a line that has not ended yet, up to its bound. */
  held: Buffer;
}

/** Looks for a line of one instance's output. Reads on from where the check before left off. */
export class LogProbe {
  readonly #searches = new Map<string, Search>();

  check(pattern: string, { pid, log, logOffset }: ReadySubject): boolean {
    const key = [pid, logOffset, pattern, log].join('\0');
    try {
      if (!findLine(this.#resume(key, log, logOffset), new RegExp(pattern))) return false;
      // Found: whoever asks again is shown the evidence again, not a memory of it.
      this.#searches.delete(key);
      return true;
    } catch {
      return false;
    }
  }

  #resume(key: string, log: string, logOffset: number): Search {
    const search = this.#searches.get(key) ?? { log: new LogFollower(log, logOffset), held: Buffer.alloc(0) };
    this.#searches.delete(key);
    this.#searches.set(key, search);
    for (const oldest of this.#searches.keys()) {
      if (this.#searches.size <= maxSearches) break;
      this.#searches.delete(oldest);
    }
    return search;
  }
}

function findLine(search: Search, expression: RegExp): boolean {
  const { log } = search;
  try {
    for (let readBytes = 0; readBytes < checkBytes; ) {
      const before = log.offset;
      const bytes = log.readBytes(chunkBytes);
      if (bytes.length === 0) return false;
      readBytes += bytes.length;
      // A log that is another file by now does not go on with the line of the one before.
      if (log.offset !== before + bytes.length) search.held = Buffer.alloc(0);
      const { held } = search;
      const matches = inTime(() => {
        search.held = held;
        return matchesIn(bytes, search, expression);
      });
      if (matches !== false) return matches ?? false;
    }
    return false;
  } finally {
    log.close();
  }
}

function matchesIn(chunk: Buffer, search: Search, expression: RegExp): boolean {
  let start = 0;
  for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
    hold(search, chunk.subarray(start, end));
    const line = search.held;
    search.held = Buffer.alloc(0);
    start = end + 1;
    if (expression.test(textOf(line))) return true;
  }
  hold(search, chunk.subarray(start));
  return false;
}

/** A longer line is matched by its beginning. */
function hold(search: Search, part: Buffer): void {
  const room = maxLineBytes - search.held.length;
  if (room > 0 && part.length > 0) search.held = Buffer.concat([search.held, part.subarray(0, room)]);
}

/** A line of a Windows program ends in two characters. */
function textOf(line: Buffer): string {
  return line.toString('utf8', 0, line.at(-1) === carriageReturn ? line.length - 1 : line.length);
}

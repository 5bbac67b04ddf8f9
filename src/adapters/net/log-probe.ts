import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { ReadySubject } from '../../domain/ports.js';
import { maxLineBytes } from './message-lines.js';

const newline = 0x0a;
const carriageReturn = 0x0d;
const chunkBytes = 64 * 1024;
/** How much one check reads: a daemon that writes faster than we read must not keep us for ever. */
const checkBytes = 4 * 1024 * 1024;
/** How long an expression may take over one chunk: there are some that never come to an end on some lines. */
const matchTimeoutMs = 500;
const maxAttempts = 10;
/** How many unfinished searches are remembered. */
const maxSearches = 64;

interface Search {
  readonly device: number;
  readonly inode: number;
  /** How far the log has been read. */
  position: number;
  /** The beginning of a line that has not ended yet, up to its bound. */
  held: Buffer;
}

/** Looks for a line of one instance's output. Reads on from where the check before left off. */
export class LogProbe {
  readonly #searches = new Map<string, Search>();

  check(pattern: string, { pid, log, logOffset }: ReadySubject): boolean {
    const key = [pid, logOffset, pattern, log].join('\0');
    try {
      const search = this.#resume(key, log, logOffset);
      if (search === undefined || !findLine(log, search, new RegExp(pattern))) return false;
      // Found: whoever asks again is shown the evidence again, not a memory of it.
      this.#searches.delete(key);
      return true;
    } catch {
      return false;
    }
  }

  /** `undefined` where there is nothing new to read. */
  #resume(key: string, log: string, logOffset: number): Search | undefined {
    const seen = statSync(log, { throwIfNoEntry: false });
    // Opening a pipe would wait for a writer.
    if (!seen?.isFile()) return undefined;
    const known = this.#searches.get(key);
    const isSame = known !== undefined && known.device === seen.dev && known.inode === seen.ino && known.position <= seen.size;
    if (isSame) return known.position === seen.size ? undefined : known;
    // A log that is another file by now, or shorter than what was read, holds only what was written since.
    const position = known === undefined && logOffset <= seen.size ? logOffset : 0;
    const fresh = { device: seen.dev, inode: seen.ino, position, held: Buffer.alloc(0) };
    this.#remember(key, fresh);
    return fresh;
  }

  #remember(key: string, search: Search): void {
    this.#searches.delete(key);
    this.#searches.set(key, search);
    for (const oldest of this.#searches.keys()) {
      if (this.#searches.size <= maxSearches) return;
      this.#searches.delete(oldest);
    }
  }
}

function findLine(log: string, search: Search, expression: RegExp): boolean {
  const file = openSync(log, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (fstatSync(file).ino !== search.inode) return false;
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let readBytes = 0; readBytes < checkBytes; ) {
      const count = readSync(file, chunk, 0, chunkBytes, search.position);
      if (count === 0) return false;
      search.position += count;
      readBytes += count;
      const { held } = search;
      const matches = inTime(() => {
        search.held = held;
        return matchesIn(chunk.subarray(0, count), search, expression);
      });
      if (matches !== false) return matches ?? false;
    }
    return false;
  } finally {
    closeSync(file);
  }
}

/**
 * `undefined` where it took too long. Only the engine itself can interrupt a regular expression, and does so through `vm`, by
 * the clock on the wall: on a busy machine that time may pass while we hardly run, and then the work begins anew.
 */
function inTime(work: () => boolean): boolean | undefined {
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  const before = process.cpuUsage();
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    try {
      return runInNewContext('work()', { work }, { timeout: matchTimeoutMs }) as boolean;
    } catch {
      const { user, system } = process.cpuUsage(before);
      // Microseconds. Half of the time is enough to tell an expression at work from one that was kept waiting.
      if (user + system >= matchTimeoutMs * 500) return undefined;
    }
  }
  return undefined;
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

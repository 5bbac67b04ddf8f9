import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { writeAll, writeAtomically } from './safe-files.js';

/** All bytes before this offset had been written by then. Wall time. */
export interface TimeMark {
  readonly ms: number;
  readonly offset: number;
}

/** About two days of a log that is written to all the time and looked at each minute; older marks grow sparse. */
const mostMarks = 4_096;
/** How many of the youngest stay as they are when the others are thinned out. */
const exactMarks = 1_024;
const largestBytes = 1024 * 1024;

export const timesPath = (log: string): string => `${log}.times`;

/** One line each: when, and how far the log had come. Whatever else stands there is skipped. */
export function decodeTimes(text: string): readonly TimeMark[] {
  const marks: TimeMark[] = [];
  for (const line of text.split('\n')) {
    const found = /^(\d{1,16}) (\d{1,16})$/.exec(line);
    if (!found) continue;
    const [ms, offset] = [Number(found[1]), Number(found[2])];
    if (!Number.isSafeInteger(ms) || !Number.isSafeInteger(offset) || ms > latestMs) continue;
    // A log that begins anew: what was noted before is about another.
    if (offset < (marks.at(-1)?.offset ?? 0)) marks.length = 0;
    marks.push({ ms, offset });
  }
  return marks;
}

/** The last moment that a date can be. */
const latestMs = 8.64e15;

export function encodeTimes(marks: readonly TimeMark[]): string {
  return marks.map(({ ms, offset }) => `${ms} ${offset}\n`).join('');
}

/** `undefined` where nobody ever noted any. */
export function readTimes(log: string): readonly TimeMark[] | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(timesPath(log), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= largestBytes ? decodeTimes(readFileSync(fd, 'utf8')) : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Appends a mark; every so often the file is made smaller. Throws what writing throws. */
export function addTime(log: string, mark: TimeMark): void {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(timesPath(log), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  let size: number;
  try {
    // A leading newline: what a writer that was killed left of a line does not spoil this one.
    writeAll(fd, `\n${mark.ms} ${mark.offset}\n`);
    size = fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
  // A mark takes a dozen bytes at least.
  if (size < mostMarks * 12) return;
  const marks = readTimes(log) ?? [];
  if (marks.length >= mostMarks || size > largestBytes / 2) writeAtomically(timesPath(log), encodeTimes(thinOut(marks)));
}

/** Every second one of the older marks goes: of what was long ago, less exact times are enough. */
export function thinOut(marks: readonly TimeMark[]): readonly TimeMark[] {
  const exactFrom = marks.length - exactMarks;
  return marks.filter((_, index) => index >= exactFrom || index % 2 === 0);
}

/** By when each part of a log was written, from any marks: later ones can only make it earlier. Ascending in both. */
export function tighten(marks: readonly TimeMark[]): readonly TimeMark[] {
  const sorted = marks.toSorted((one, other) => one.offset - other.offset || one.ms - other.ms);
  let earliest = Number.POSITIVE_INFINITY;
  const tight: TimeMark[] = [];
  for (const { ms, offset } of sorted.toReversed()) {
    earliest = Math.min(earliest, ms);
    if (tight.at(-1)?.offset === offset) tight.pop();
    tight.push({ ms: earliest, offset });
  }
  return tight.toReversed();
}

/** When what begins at an offset was there at the latest; `undefined` where no mark lies behind it. */
export function timeAt(marks: readonly TimeMark[], offset: number): number | undefined {
  return marks[firstBehind(marks, (mark) => mark.offset > offset)]?.ms;
}

/** Where what was written since then begins: nothing of it lies before. `undefined` where that is the very beginning. */
export function offsetSince(marks: readonly TimeMark[], sinceMs: number): number | undefined {
  return marks[firstBehind(marks, (mark) => mark.ms >= sinceMs) - 1]?.offset;
}

/** Bisection: the first mark for which it holds, and it holds for all behind that one. */
function firstBehind(marks: readonly TimeMark[], holds: (mark: TimeMark) => boolean): number {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(marks[middle] as TimeMark)) high = middle;
    else low = middle + 1;
  }
  return low;
}

import { constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { errnoOf } from './file-errors.js';
import { bearsMark, copyPath, decodeLogState, type LogState, mapLog, readStateText } from './log-state.js';
import { closeQuietly } from './safe-files.js';

/** A part of a log that stands in one file. Offsets count all that was ever written to the log. */
export interface LogPiece {
  readonly fd: number;
  readonly begin: number;
  readonly end: number;
  /** The offset of the file's first byte. */
  readonly base: number;
  /** All of it had been written by then. Wall time. */
  readonly writtenMs: number;
}

/** How often a look is taken again because somebody rotated in the middle of it. */
const mostLooks = 100;
/** More rotated files than anybody keeps. */
const mostFiles = 10_000;

/** A log as it stood at one moment, over all of its files, the oldest first. Rotated files never change; the last one grows, and its head may be taken out. */
export class LogPieces {
  private constructor(
    readonly pieces: readonly LogPiece[],
    /** Offsets at which a file ends within a line. */
    readonly torn: ReadonlySet<number>,
    private readonly path: string,
    private readonly look: LogLook | undefined,
  ) {}

  /** Throws what opening the log throws, other than that it isn't there. */
  static open(path: string): LogPieces {
    for (let looks = 1; ; looks++) {
      const live = openRegular(path);
      const look = live && lookAt(path, live.fd);
      const before = listing(path);
      const rotated = openRotated(path, look?.state?.cut !== null && look?.state !== undefined);
      if (looks >= mostLooks || (listing(path) === before && (!look || !live || isSame(look, lookAt(path, live.fd), path))))
        return new LogPieces(place(live, look, rotated), new Set(look?.state?.torn ?? []), path, look);
      for (const { fd } of live ? [...rotated, live] : rotated) closeQuietly(fd);
    }
  }

  get begin(): number {
    return this.pieces[0]?.begin ?? 0;
  }

  get end(): number {
    return this.pieces.at(-1)?.end ?? 0;
  }

  /** Whether what was read of the growing file is what stood there at the look. Asked after reading. */
  isCurrent(): boolean {
    const live = this.pieces.at(-1);
    return !live || !this.look || isSame(this.look, lookAt(this.path, live.fd), this.path);
  }

  close(): void {
    for (const { fd } of this.pieces) closeQuietly(fd);
  }
}

/** What decides where the bytes of an open log stand. Two equal looks mean that nothing between them was moved. */
export interface LogLook {
  readonly text: string;
  readonly state: LogState | undefined;
  readonly isMarked: boolean;
  readonly stat: Stats;
}

export function lookAt(path: string, fd: number): LogLook {
  const stat = fstatSync(fd);
  const text = readStateText(path, stat.uid);
  const state = text === '' ? undefined : decodeLogState(text);
  return { text, state, stat, isMarked: state?.file === stat.ino && bearsMark(fd, state.cut) };
}

export function isSameLook(one: LogLook, other: LogLook): boolean {
  return one.text === other.text && one.isMarked === other.isMarked;
}

/** As well whether the file is still the log: one that was renamed is among the rotated ones by now. */
function isSame(one: LogLook, other: LogLook, path: string): boolean {
  const named = lstatSync(path, { throwIfNoEntry: false });
  return isSameLook(one, other) && named?.ino === one.stat.ino && named.dev === one.stat.dev;
}

interface OpenFile {
  readonly fd: number;
  readonly stat: Stats;
}

/** `undefined` where there is no regular file, which alone has a beginning and an end. Throws where it may not be read. */
export function openRegular(path: string): OpenFile | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const stat = fstatSync(fd);
  if (stat.isFile()) return { fd, stat };
  closeQuietly(fd);
  return undefined;
}

/** The rotated files by name and inode: they are renamed one by one. */
function listing(path: string): string {
  const inode = (file: string) => lstatSync(file, { throwIfNoEntry: false })?.ino ?? '-';
  return [inode(copyPath(path)), ...rotatedPaths(path).map((file) => `${file.slice(path.length)}=${inode(file)}`)].join(' ');
}

/** The youngest first. One number may be missing, while they are renamed. */
export function rotatedPaths(path: string): readonly string[] {
  const files: string[] = [];
  for (let number = 1, missing = 0; missing < 2 && number < mostFiles; number++) {
    const isThere = lstatSync(`${path}.${number}`, { throwIfNoEntry: false }) !== undefined;
    missing = isThere ? 0 : missing + 1;
    if (isThere) files.push(`${path}.${number}`);
  }
  return files;
}

/** The youngest first. */
function openRotated(path: string, withCopy: boolean): readonly OpenFile[] {
  const files = withCopy ? [copyPath(path), ...rotatedPaths(path)] : rotatedPaths(path);
  return files.flatMap((file) => openRegular(file) ?? []);
}

/** Each file ends where the next one begins. */
function place(live: OpenFile | undefined, look: LogLook | undefined, rotated: readonly OpenFile[]): readonly LogPiece[] {
  const pieces: LogPiece[] = [];
  let end = rotated.reduce((sum, { stat }) => sum + stat.size, 0);
  if (live && look) {
    const { base, begin } = mapLog(look.state, look.stat, look.isMarked);
    end = base + begin;
    pieces.push({ fd: live.fd, base, begin: end, end: base + look.stat.size, writtenMs: look.stat.mtimeMs });
  }
  for (const { fd, stat } of rotated) {
    const { before } = look?.state ?? {};
    // One that has grown since it was renamed begins where it began.
    const base = before && before.file === stat.ino && before.base <= end ? before.base : end - stat.size;
    pieces.unshift({ fd, base, begin: base, end, writtenMs: stat.mtimeMs });
    end = base;
  }
  return pieces;
}

/** Reads from an offset of the log on, within one file. 0 where it has no more. */
export function readPiece({ fd, base }: LogPiece, buffer: Buffer, length: number, offset: number): number {
  return readSync(fd, buffer, 0, length, offset - base);
}

import { constants, existsSync, fstatSync, lstatSync, openSync, readSync, realpathSync, renameSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import type { HeldLock, LogStore, LogTarget } from '../../domain/ports.js';
import type { FileDescriptorRepo } from './file-descriptor-repo.js';
import { errnoOf, fileFailure, naming, unsafe } from './file-errors.js';
import { closeQuietly, removeIfThere } from './safe-files.js';

const chunkBytes = 64 * 1024;
/** The most that `tail` gives back, whatever the lines are like. */
const largestTailBytes = 16 * 1024 * 1024;

/** Logs that the daemons write themselves; rotated by rename before a start, when nobody has them open. */
export class FileLogStore implements LogStore {
  constructor(private readonly repo: FileDescriptorRepo) {}

  prepare(_held: HeldLock, target: LogTarget): { path: string; offset: number } {
    const path = target.file === null ? this.repo.place(target.ref).log : throughLinks(target.file);
    const before = naming(path, 'read', () => lstatSync(path, { throwIfNoEntry: false }));
    if (before) insistOnLog(path, before);
    if (before?.isFile() && before.size >= target.maxBytes) naming(path, 'write', () => rotate(path, target.keep));
    return { path, offset: sizeWhenOpened(path) };
  }

  tail(path: string, lines: number, fromOffset = 0, toOffset = Number.MAX_SAFE_INTEGER): readonly string[] {
    if (lines <= 0) return [];
    let found: readonly string[] = [];
    // Older files only for what the current one can't fill, and never beyond the beginning that was asked for.
    const files = fromOffset > 0 ? [path] : rotatedFiles(path);
    for (const file of files) {
      found = [...(file === path ? lastLines(file, lines, fromOffset, toOffset) : lastLines(file, lines - found.length, 0)), ...found];
      if (found.length >= lines) break;
    }
    return found;
  }
}

/** Where a log of the user's own is read: the descriptor, which names the file behind a link, is gone after a stop. */
export function behindLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** The user's own choice of a file may well be a link: it is followed once, here. */
function throughLinks(file: string): string {
  try {
    return realpathSync(file);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileFailure(error, file, 'write');
  }
  return naming(file, 'write', () => join(realpathSync(dirname(file)), basename(file)));
}

function insistOnLog(path: string, stat: Stats): void {
  if (stat.isSymbolicLink()) throw unsafe(path, 'it is a symbolic link');
  // A FIFO would hold up its opener, a socket can't be opened.
  if (!stat.isFile() && !stat.isCharacterDevice())
    throw new DaemonError('invalid-spec', `${path} can't be a log: it is no regular file`, { path });
}

function sizeWhenOpened(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  return naming(path, 'write', () => {
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    try {
      const stat = fstatSync(fd);
      return stat.isFile() ? stat.size : 0;
    } finally {
      closeQuietly(fd);
    }
  });
}

/** `daemon.log` becomes `daemon.log.1`, that one `daemon.log.2`, and so on; the oldest goes. */
function rotate(path: string, keep: number): void {
  removeIfThere(keep === 0 ? path : `${path}.${keep}`);
  if (keep === 0) return;
  for (let number = keep - 1; number >= 1; number--) {
    if (existsSync(`${path}.${number}`)) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  }
  renameSync(path, `${path}.1`);
}

/** The current file, then the rotated ones from the youngest on. */
function rotatedFiles(path: string): readonly string[] {
  const files = [path];
  while (existsSync(`${path}.${files.length}`)) files.push(`${path}.${files.length}`);
  return files;
}

/** Reads backwards, so that a large log costs no more than its end. */
function lastLines(path: string, lines: number, fromOffset: number, toOffset = Number.MAX_SAFE_INTEGER): readonly string[] {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileFailure(error, path, 'read');
  }
  try {
    return naming(path, 'read', () => {
      const stat = fstatSync(fd);
      return stat.isFile() ? linesOf(readEnd(fd, Math.min(stat.size, toOffset), fromOffset, lines), lines) : [];
    });
  } finally {
    closeQuietly(fd);
  }
}

function readEnd(fd: number, size: number, fromOffset: number, lines: number): Buffer {
  const chunks: Buffer[] = [];
  const stopAt = Math.max(fromOffset, size - largestTailBytes);
  let newlines = 0;
  for (let position = size; position > stopAt && newlines <= lines; ) {
    const length = Math.min(chunkBytes, position - stopAt);
    const chunk = Buffer.alloc(length);
    const read = readSync(fd, chunk, 0, length, position - length);
    for (const byte of chunk) if (byte === 0x0a) newlines++;
    chunks.unshift(chunk.subarray(0, read));
    position -= length;
  }
  return Buffer.concat(chunks);
}

function linesOf(bytes: Buffer, lines: number): readonly string[] {
  // A line of a Windows program ends in two characters.
  const all = bytes.toString('utf8').split(/\r?\n/);
  if (all.at(-1) === '') all.pop();
  return all.slice(-lines);
}

import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf, fileFailure, naming, unsafe } from './file-errors.js';
import { randomId, shortId } from './random-id.js';

/** The largest file of ours that is read whole. A command line may take two megabytes, and escapes make it longer. */
export const largestFileBytes = 16 * 1024 * 1024;
const groupOrOthersMayWrite = 0o022;

/**
 * Follows symbolic links, then insists that the folder is ours and that nobody else may write in it. The path as it was given;
 * `undefined` where there is none, and none is to be made.
 */
export function checkedFolder(path: string, options: { create: boolean }): string | undefined {
  return naming(path, options.create ? 'write' : 'read', () => {
    if (options.create) makeFolders(path);
    const stat = statSync(path, { throwIfNoEntry: options.create });
    if (!stat) return undefined;
    const trouble = troubleWith(stat);
    // Named by where it really is: that is what has to be mended.
    if (trouble) throw unsafe(realpathSync.native(path), trouble);
    return path;
  });
}

/** Node's own recursive mkdir never returns where an existing folder answers ENOENT, as `/proc` and a deleted one do. */
function makeFolders(path: string): void {
  try {
    makeOne(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolders(dirname(path));
    makeOne(path);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** A folder of ours inside a checked one: made 0700, and never a link. */
export function checkedSubfolder(path: string): void {
  naming(path, 'write', () => {
    makeOne(path);
    const stat = lstatSync(path);
    const trouble = stat.isSymbolicLink() ? 'it is a symbolic link' : troubleWith(stat);
    if (trouble) throw unsafe(path, trouble);
  });
}

function troubleWith(stat: Stats): string | undefined {
  if (!stat.isDirectory()) return 'it is not a folder';
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  if (stat.uid !== uid) return `it belongs to uid ${stat.uid}, not to uid ${uid}`;
  if ((stat.mode & groupOrOthersMayWrite) === 0) return undefined;
  return `others may write in it (mode ${(stat.mode & 0o7777).toString(8).padStart(4, '0')}; chmod go-w would do)`;
}

/** Reads a regular file of ours, never through a link. `undefined` where there is none; a string error for what is no file. */
export function readOwnFile(path: string): { text: string } | { notAFile: string } | undefined {
  let fd: number;
  try {
    // Not blocking: somebody's FIFO must not hold us up.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    if (errno === 'ELOOP') return { notAFile: 'it is a symbolic link' };
    if (errno === 'ENXIO') return { notAFile: 'it is not a regular file' };
    return naming(path, 'read', () => {
      throw error;
    });
  }
  try {
    return naming(path, 'read', () => {
      const text = readShort(fd);
      if (text !== undefined) return { text };
      const stat = fstatSync(fd);
      if (!stat.isFile()) return { notAFile: 'it is not a regular file' };
      if (stat.size > largestFileBytes) return { notAFile: 'it is larger than 16 MB' };
      return { text: readWhole(fd, stat.size) };
    });
  } finally {
    closeQuietly(fd);
  }
}

/** What most of our files fit into. */
const shortBytes = 4_096;
let scratch: Buffer | undefined;

/** By a single read at a position, which only a regular file answers with less than was asked for; `undefined` where it is to be looked at more closely. */
function readShort(fd: number): string | undefined {
  scratch ??= Buffer.allocUnsafeSlow(shortBytes);
  try {
    const length = readSync(fd, scratch, 0, shortBytes, 0);
    return length > 0 && length < shortBytes ? scratch.toString('utf8', 0, length) : undefined;
  } catch (error) {
    // A folder, and what has no positions.
    if (['EISDIR', 'ESPIPE'].includes(errnoOf(error))) return undefined;
    throw error;
  }
}

/** Closes what nothing more is asked of: it is closed, whatever the system says of it, and no failure of what was done with it. */
export function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It could only say that something was not written; what has to be on disk is synced before.
  }
}

function readWhole(fd: number, size: number): string {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const read = readSync(fd, bytes, length, size - length, length);
    if (read === 0) break;
    length += read;
  }
  return bytes.toString('utf8', 0, length);
}

/** Writes a file so that a reader sees all of it or what was there before, also after a power cut. */
export function writeAtomically(path: string, text: string): void {
  replace(path, text, fsyncSync);
}

/** The same, but for the power cut: that is for `settleFile`. A sync may take longer than all else that a start does. */
export function writeAtOnce(path: string, text: string): void {
  replace(path, text, () => {});
}

/** How a file is synced. */
export type Sync = (fd: number) => Promise<void>;

/** Without holding up the program: by a thread of Node's pool. */
export const syncMeanwhile: Sync = promisify(fsync);

/** For a program that has nothing else to do: the first use of the pool would make four threads, and end it where no more may be made. */
export const syncInPlace: Sync = async (fd) => fsyncSync(fd);

/** Has a file on disk, as it is now. False where there is none. */
export function settleFile(path: string, sync: Sync): Promise<boolean> {
  // For writing, without which Windows syncs nothing.
  return settle(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK, sync);
}

/** The same of the names in a folder. Windows knows no such thing. */
export function settleFolder(path: string, sync: Sync): Promise<boolean> {
  return settle(path, constants.O_RDONLY | constants.O_DIRECTORY, sync);
}

async function settle(path: string, flags: number, sync: Sync): Promise<boolean> {
  let fd: number;
  try {
    fd = openSync(path, flags);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw fileFailure(error, path, 'write');
  }
  try {
    await sync(fd);
    return true;
  } catch (error) {
    throw fileFailure(error, path, 'write');
  } finally {
    closeQuietly(fd);
  }
}

function replace(path: string, text: string, sync: (fd: number) => void): void {
  naming(path, 'write', () => {
    const temporary = temporaryPath(path);
    try {
      const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
      try {
        writeAll(fd, text);
        sync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, path);
    } catch (error) {
      removeIfThere(temporary);
      throw error;
    }
  });
}

/** Where a file is written before it appears under its own name. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${shortId(randomId())}.tmp`);
}

export function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
  }
}

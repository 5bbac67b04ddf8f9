import { constants, fstatSync, lstatSync, openSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import type { HeldLock, LogStore, LogTarget, RotateOutcome } from '../../domain/ports.js';
import type { FileDescriptorRepo } from './file-descriptor-repo.js';
import { errnoOf, fileFailure, naming, unsafe } from './file-errors.js';
import { lookAt } from './log-pieces.js';
import { LogRotation, moveUp, succeed } from './log-rotation.js';
import { type LogShortener, noShortener } from './log-shortener.js';
import { encodeLogState, type LogMapping, type LogState, mapLog, statePath } from './log-state.js';
import { tailOf } from './log-tail.js';
import { addTime, timesPath } from './log-times.js';
import { closeQuietly, removeIfThere, writeAtomically } from './safe-files.js';

/** What was seen of a log at the last poll. */
interface Seen {
  readonly ino: number;
  readonly size: number;
  /** What of the file is rotated already. */
  readonly begin: number;
  /** Whether no rotation stood in the middle. */
  readonly isSettled: boolean;
}

/** Logs that the daemons write themselves. Rotated by rename before a start, when nobody has them open, and by taking their heads out while they are written to. */
export class FileLogStore implements LogStore {
  private readonly seen = new Map<string, Seen>();

  constructor(
    private readonly repo: FileDescriptorRepo,
    private readonly shortener: LogShortener = noShortener,
  ) {}

  async prepare(_held: HeldLock, target: LogTarget): Promise<{ path: string; offset: number }> {
    const path = this.pathOf(target);
    const before = naming(path, 'read', () => lstatSync(path, { throwIfNoEntry: false }));
    if (before) insistOnLog(path, before);
    const found = before?.isFile() ? openAndMap(path) : undefined;
    if (found && (!found.isSettled || found.begin > 0)) await this.settle(path, target);
    else if (found && found.size >= target.maxBytes) naming(path, 'write', () => rename(path, target.keep, found));
    return { path, offset: endWhenOpened(path) };
  }

  async rotate(_held: HeldLock, target: LogTarget): Promise<RotateOutcome> {
    const path = this.pathOf(target);
    const stat = naming(path, 'read', () => statSync(path, { throwIfNoEntry: false }));
    if (!stat || this.isKnownToFit(path, stat, target.maxBytes)) return 'fits';
    const rotation = await LogRotation.begin(path, this.shortener, limitsOf(target));
    if (typeof rotation === 'string') return rotation === 'busy' ? 'fits' : stat.size < target.maxBytes ? 'fits' : 'unsupported';
    try {
      await rotation.recover();
      return await rotation.cut();
    } finally {
      rotation.close();
      this.see(path);
    }
  }

  noteTime(path: string): number {
    const stat = naming(path, 'read', () => statSync(path, { throwIfNoEntry: false }));
    // Most daemons write nothing for hours: then there is nothing else to look at.
    if (!stat?.isFile() || stat.size === 0) {
      this.seen.delete(path);
      return 0;
    }
    const before = this.seen.get(path);
    if (before?.ino === stat.ino && before.size === stat.size) return stat.size - before.begin;
    const now = this.see(path);
    if (!now) return 0;
    const offset = now.base + now.size;
    naming(timesPath(path), 'write', () => addTime(path, { ms: Date.now(), offset }));
    return now.size - now.begin;
  }

  tail(path: string, lines: number, fromOffset = 0, toOffset = Number.MAX_SAFE_INTEGER): readonly string[] {
    return lines <= 0 ? [] : naming(path, 'read', () => tailOf(path, lines, fromOffset, toOffset));
  }

  private pathOf(target: LogTarget): string {
    return target.file === null ? this.repo.place(target.ref).log : throughLinks(target.file);
  }

  /** Before a start: nobody writes, but what was begun is brought to its end, and a hole is not kept for ever. */
  private async settle(path: string, target: LogTarget): Promise<void> {
    const rotation = await LogRotation.begin(path, this.shortener, limitsOf(target));
    // Readers and writers can do with a log in any state of this.
    if (typeof rotation === 'string') return;
    try {
      await rotation.recover();
      await rotation.emptyIfFull();
    } finally {
      rotation.close();
    }
  }

  /** By what was seen before: of a log that has hardly grown, its size is all that has to be asked for. */
  private isKnownToFit(path: string, { ino, size }: Stats, maxBytes: number): boolean {
    const before = this.seen.get(path);
    const known = before?.ino === ino && before.isSettled ? before : this.see(path);
    return known?.isSettled === true && size - known.begin < maxBytes;
  }

  private see(path: string): MappedLog | undefined {
    const found = naming(path, 'read', () => openAndMap(path));
    if (found) this.seen.set(path, { ino: found.ino, size: found.size, begin: found.begin, isSettled: found.isSettled });
    else this.seen.delete(path);
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

function limitsOf({ file, maxBytes, keep }: LogTarget) {
  return { maxBytes, keep, isShared: file !== null };
}

interface MappedLog extends LogMapping {
  readonly ino: number;
  readonly size: number;
  readonly isSettled: boolean;
  readonly state: LogState | undefined;
}

/** A log as it is now; `undefined` where there is no regular file. */
function openAndMap(path: string): MappedLog | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // One that may be written but not read is a log all the same, and is not ours to cut.
    if (['ENOENT', 'EACCES', 'ENXIO'].includes(errnoOf(error))) return undefined;
    throw error;
  }
  try {
    const look = lookAt(path, fd);
    if (!look.stat.isFile()) return undefined;
    const { ino, size } = look.stat;
    const isSettled = (look.state?.cut ?? null) === null;
    return { ino, size, ...mapLog(look.state, look.stat, look.isMarked), isSettled, state: look.state };
  } finally {
    closeQuietly(fd);
  }
}

/** Its name is free then, and what comes in its place goes on counting where it ends. */
function rename(path: string, keep: number, { ino, base, size, state }: MappedLog): void {
  if (keep === 0) for (const file of [statePath(path), timesPath(path)]) removeIfThere(file);
  else
    writeAtomically(
      statePath(path),
      encodeLogState({ ...(state ?? succeed(undefined, ino)), file: ino, base, begin: 0, next: base + size }),
    );
  moveUp(path, path, keep);
}

/** Makes sure that it can be written, and that it is counted on from the file before. */
function endWhenOpened(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  return naming(path, 'write', () => {
    const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile()) return 0;
      const log = openAndMap(path);
      if (!log) return stat.size;
      const { ino, base, state } = log;
      if (state && state.file !== ino && state.cut === null) writeAtomically(statePath(path), encodeLogState(succeed(state, ino)));
      // Emptied, by hand or by us, or another file under an old number: its count goes on, and nothing of it is rotated.
      else if (state && state.begin > stat.size) writeAtomically(statePath(path), encodeLogState({ ...state, base, begin: 0 }));
      return base + stat.size;
    } finally {
      closeQuietly(fd);
    }
  });
}

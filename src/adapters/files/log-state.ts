import { constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { errnoOf } from './file-errors.js';
import { closeQuietly } from './safe-files.js';

/** A piece that is about to leave the head of a log, in the order of its steps. */
export interface LogCut {
  /** Where it ends in the file, in bytes. */
  readonly to: number;
  /** A random word, written over the head once that is copied: while it can be read there, the head has not been taken out. */
  readonly mark: string;
  /** `copied`: it stands in `.next` too. `marked`: the mark is on the head, or the head is gone. `taken`: only `.next` has still to be filed. */
  readonly step: 'copied' | 'marked' | 'taken';
}

/**
 * What is known of a log beside its bytes: `daemon.log.base`. Offsets count all that was ever written to the log, so that
 * they stay true when its head is taken out.
 */
export interface LogState {
  /** The inode that this is about. */
  readonly file: number;
  /** The offset of the file's first byte. */
  readonly base: number;
  /** What of the file, in bytes, is rotated already though it could not be taken out. */
  readonly begin: number;
  /** The offset of the first byte of the file that comes in this one's place, where one is about to. */
  readonly next: number | null;
  readonly cut: LogCut | null;
  /** The file that was the log before this one, by which those go on who have it open. It may have grown since. */
  readonly before: { readonly file: number; readonly base: number } | null;
  /** The offsets at which one file ends and the next begins in the middle of a line, ascending. */
  readonly torn: readonly number[];
}

/** Where the bytes of an open log stand. */
export interface LogMapping {
  /** The offset of the file's first byte. */
  readonly base: number;
  /** The first byte of the file that is not rotated yet. */
  readonly begin: number;
}

export const statePath = (log: string): string => `${log}.base`;
export const copyPath = (log: string): string => `${log}.next`;

const schema = 1;
const markShape = /^[0-9a-f-]{36}$/;
const largestStateBytes = 256 * 1024;
export const mostTorn = 4_096;

export function encodeLogState(state: LogState): string {
  return `${JSON.stringify({ schema, ...state })}\n`;
}

/** `undefined` for anything that is not a state, whole: a log of which nothing is known begins at 0. */
export function decodeLogState(text: string): LogState | undefined {
  let value: Partial<Record<keyof LogState | 'schema', unknown>> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || value.schema !== schema) return undefined;
  const { file, base, begin, next, torn } = value;
  const cut = decodeCut(value.cut);
  const before = decodeBefore(value.before);
  if (!isOffset(file) || !isOffset(base) || !isOffset(begin) || cut === undefined || before === undefined) return undefined;
  if (next !== null && !isOffset(next)) return undefined;
  if (!Array.isArray(torn) || torn.length > mostTorn || !torn.every(isOffset)) return undefined;
  if (!isOffset(base + begin) || (cut && !isOffset(base + cut.to))) return undefined;
  if (cut && cut.step !== 'taken' && cut.to < begin) return undefined;
  return { file, base, begin, next, cut, before, torn };
}

function decodeCut(value: unknown): LogCut | null | undefined {
  if (value === null) return null;
  if (typeof value !== 'object') return undefined;
  const { to, mark, step } = value as Partial<Record<keyof LogCut, unknown>>;
  if (!isOffset(to) || typeof mark !== 'string' || !markShape.test(mark)) return undefined;
  return step === 'copied' || step === 'marked' || step === 'taken' ? { to, mark, step } : undefined;
}

function decodeBefore(value: unknown): LogState['before'] | undefined {
  if (value === null) return null;
  if (typeof value !== 'object') return undefined;
  const { file, base } = value as Partial<Record<'file' | 'base', unknown>>;
  return isOffset(file) && isOffset(base) ? { file, base } : undefined;
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * The state's text as it stands, to be compared with a later one; empty where there is none that is to be believed. Throws where
 * there may be one: without it, rotated bytes would be taken for the log's own.
 */
export function readStateText(log: string, owner: number | undefined): string {
  let fd: number | undefined;
  try {
    fd = openSync(statePath(log), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(fd);
    // Beside a log of the user's choice others may be able to write.
    if (!stat.isFile() || stat.size > largestStateBytes || (owner !== undefined && stat.uid !== owner)) return '';
    return readFileSync(fd, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR'].includes(errnoOf(error))) return '';
    throw error;
  } finally {
    if (fd !== undefined) closeQuietly(fd);
  }
}

/** Where the bytes of a log stand, by what is known of it. A log that was emptied goes on counting where it was. */
export function mapLog(state: LogState | undefined, file: { readonly ino: number; readonly size: number }, isMarked: boolean): LogMapping {
  if (!state) return { base: 0, begin: 0 };
  if (state.file !== file.ino) return { base: state.next ?? 0, begin: 0 };
  const { base, begin } = beforeEmptying(state, isMarked);
  return begin > file.size ? { base: base + begin, begin: 0 } : { base, begin };
}

function beforeEmptying({ base, begin, cut }: LogState, isMarked: boolean): LogMapping {
  if (cut === null || cut.step === 'taken') return { base, begin };
  if (cut.step === 'copied' || isMarked) return { base, begin: cut.to };
  return { base: base + cut.to, begin: 0 };
}

/** Whether the mark of a cut stands on the head of an open log. */
export function bearsMark(fd: number, cut: LogCut | null | undefined): boolean {
  if (!cut || cut.step === 'taken') return false;
  const head = Buffer.alloc(cut.mark.length);
  return readSync(fd, head, 0, head.length, 0) === head.length && head.toString('latin1') === cut.mark;
}

import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  renameSync,
  type Stats,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import type { RotateOutcome } from '../../domain/ports.js';
import { fileFailure } from './file-errors.js';
import { copyHead } from './log-copy.js';
import { rotatedPaths } from './log-pieces.js';
import type { LogShortener, ShortenAbility } from './log-shortener.js';
import {
  bearsMark,
  copyPath,
  decodeLogState,
  encodeLogState,
  type LogCut,
  type LogState,
  mapLog,
  mostTorn,
  readStateText,
  statePath,
} from './log-state.js';
import { randomId } from './random-id.js';
import { closeQuietly, removeIfThere, writeAtomically } from './safe-files.js';

/** How long a rotation that was interrupted may keep a tool of its own at work. */
const toolWaitMs = 5_000;
/** How many pieces one call takes: a daemon may write faster than we copy. */
const mostCuts = 16;

const fdatasyncAsync = promisify(fdatasync);

export interface RotationLimits {
  readonly maxBytes: number;
  readonly keep: number;
  /** Whether others may have it open who are not under the same lock. */
  readonly isShared: boolean;
}

interface CutRequest {
  readonly to: number;
  readonly isWhole: boolean;
  readonly isLost?: boolean;
}

/**
 * Takes the head out of a log that a daemon appends to: copy, mark, take out, file the copy. Each step is noted before the next
 * one begins, and each is one that can be done twice, so that whoever comes next goes on where another was killed.
 */
export class LogRotation {
  private constructor(
    private readonly path: string,
    private readonly fd: number,
    private readonly shortener: LogShortener,
    private readonly limits: RotationLimits,
    /** Whether a tool that an earlier rotation left at work would be waited for. */
    private readonly isLocked: boolean,
    private state: LogState,
  ) {}

  /** `undefined` where somebody else is at it, or where it is no log that may be cut. */
  static async begin(path: string, shortener: LogShortener, limits: RotationLimits): Promise<LogRotation | 'unsupported' | 'busy'> {
    const fd = openOwn(path);
    if (fd === undefined) return 'unsupported';
    const lock = await shortener.lock(fd, toolWaitMs).catch(() => 'unavailable' as const);
    if (lock === 'locked' || (lock === 'unavailable' && !limits.isShared))
      return new LogRotation(path, fd, shortener, limits, lock === 'locked', stateOf(path, fd));
    closeQuietly(fd);
    return lock === 'busy' ? 'busy' : 'unsupported';
  }

  close(): void {
    closeQuietly(this.fd);
  }

  /** Brings a rotation to its end that was interrupted. */
  async recover(): Promise<void> {
    const { cut, file } = this.state;
    if (cut === null) return;
    const { ino } = fstatSync(this.fd);
    // Somebody put another file in the place of the log meanwhile, of which nothing was copied.
    if (file !== ino) this.note({ file: ino, base: 0, begin: 0, next: null, cut: { ...cut, step: 'taken' }, before: null, torn: [] });
    else if (cut.step !== 'taken') await this.takeOut(cut, await this.ability());
    this.fileCopy();
  }

  /** Takes out what is too much. */
  async cut(): Promise<RotateOutcome> {
    let outcome: 'fits' | 'rotated' = 'fits';
    for (let cuts = 0; cuts < mostCuts && this.size() >= this.limits.maxBytes; cuts++) {
      const ability = await this.ability();
      if (ability.kind === 'none') return 'unsupported';
      await this.drop(ability);
      if (!(await this.cutOnce(ability, { to: this.lastCut(ability), isWhole: false }))) break;
      outcome = 'rotated';
    }
    return outcome;
  }

  /**
   * What is beyond all that is kept goes at once, the oldest first. To copy it only to remove the copy would take so long that
   * a fast writer is never caught up with.
   */
  private async drop(ability: ShortenAbility): Promise<void> {
    const { maxBytes, keep } = this.limits;
    const most = maxBytes * (keep + 1);
    const rotated = rotatedPaths(this.path).map((path) => ({ path, bytes: lstatSync(path).size }));
    let total = rotated.reduce((sum, { bytes }) => sum + bytes, this.size());
    // So that the others are whole without it, whenever we are killed.
    for (const { path, bytes } of rotated.reverse()) {
      if (total - bytes < most) return;
      removeIfThere(path);
      total -= bytes;
    }
    const beyond = this.state.begin + total - most;
    const to = beyond - (beyond % blockOf(ability));
    if (to > this.state.begin) await this.cutOnce(ability, { to, isWhole: false, isLost: true });
  }

  /** Rotates all of a log that has a hole, and empties it. At a moment at which nobody writes: the file is as good as new then. */
  async emptyIfFull(): Promise<void> {
    if (this.state.begin === 0 || this.size() < this.limits.maxBytes) return;
    await this.cutOnce({ kind: 'punch' }, { to: fstatSync(this.fd).size, isWhole: true });
    if (fstatSync(this.fd).size !== this.state.begin) return;
    ftruncateSync(this.fd, 0);
    this.note({ ...this.state, base: this.state.base + this.state.begin, begin: 0 });
  }

  /** To give space back twice does no harm; to take the head out twice would. */
  private async ability(): Promise<ShortenAbility> {
    const ability = await this.shortener.ability(this.path);
    return ability.kind === 'collapse' && !this.isLocked ? { kind: 'punch' } : ability;
  }

  private size(): number {
    return fstatSync(this.fd).size - this.state.begin;
  }

  /** The collapsed range may not reach the end of the file. */
  private lastCut(ability: ShortenAbility): number {
    const size = fstatSync(this.fd).size;
    const most = this.state.begin + Math.max(this.limits.maxBytes, blockOf(ability));
    const to = Math.min(most, size - 1);
    return to - (to % blockOf(ability));
  }

  /** `isLost`: nothing that is older is there any more, and this is not to be kept either. */
  private async cutOnce(ability: ShortenAbility, { to, isWhole, isLost = false }: CutRequest): Promise<boolean> {
    const { begin, base, torn } = this.state;
    if (to <= begin) return false;
    const keep = this.limits.keep > 0 && !isLost;
    const { mode } = fstatSync(this.fd);
    const request = { from: begin, to, isWhole, blockBytes: blockOf(ability), keep, mode: mode & 0o777 };
    let end: Awaited<ReturnType<typeof copyHead>>;
    try {
      end = await copyHead(this.path, this.fd, request);
    } catch (error) {
      removeQuietly(copyPath(this.path));
      throw fileFailure(error, copyPath(this.path), 'write');
    }
    const cut: LogCut = { to: end.to, mark: markOf(), step: 'copied' };
    this.note({ ...this.state, cut, torn: end.isTorn ? [...torn, base + end.to].slice(-mostTorn) : torn });
    await this.takeOut(cut, ability);
    this.fileCopy();
    return true;
  }

  /** From where the copy is on record to where the head is out of the way. */
  private async takeOut(cut: LogCut, ability: ShortenAbility): Promise<void> {
    const mayCollapse =
      cut.step === 'marked' || (ability.kind === 'collapse' && cut.to % ability.blockBytes === 0 && cut.to < fstatSync(this.fd).size);
    if (mayCollapse && (await this.collapse(cut))) return;
    const { base, begin } = mapLog(this.state, fstatSync(this.fd), bearsMark(this.fd, this.state.cut));
    this.note({ ...this.state, base, begin, cut: { ...cut, step: 'taken' } });
    if (begin > 0) await this.shortener.punch(this.fd, begin);
  }

  /** True once the head is out. The mark tells: equal bytes before and behind the cut could not. */
  private async collapse(cut: LogCut): Promise<boolean> {
    const marked: LogCut = { ...cut, step: 'marked' };
    if (cut.step === 'copied') {
      writeSync(this.fd, cut.mark, 0, 'latin1');
      await fdatasyncAsync(this.fd);
      this.note({ ...this.state, cut: marked });
    }
    if (this.isLocked && bearsMark(this.fd, marked)) await this.shortener.collapse(this.fd, cut.to);
    if (bearsMark(this.fd, marked)) return false;
    this.note({ ...this.state, base: this.state.base + cut.to, begin: 0, cut: { ...cut, step: 'taken' } });
    return true;
  }

  /** The copy becomes `.1`, once the others have moved up. */
  private fileCopy(): void {
    if (existsSync(copyPath(this.path))) moveUp(this.path, copyPath(this.path), this.limits.keep);
    const { base, begin, torn } = this.state;
    const oldest = rotatedPaths(this.path).reduce((offset, file) => offset - lstatSync(file).size, base + begin);
    this.note({ ...this.state, cut: null, torn: torn.filter((offset) => offset >= oldest) });
  }

  private note(state: LogState): void {
    writeAtomically(statePath(this.path), encodeLogState(state));
    this.state = state;
  }
}

/** `daemon.log.1` becomes `daemon.log.2`, and so on, then `file` becomes `daemon.log.1`; the oldest goes. Goes on where it was interrupted. */
export function moveUp(path: string, file: string, keep: number): void {
  for (const rotated of rotatedPaths(path)) if (numberOf(rotated) > keep) removeIfThere(rotated);
  if (keep === 0) {
    removeIfThere(file);
    return;
  }
  let gap = 1;
  while (gap <= keep && existsSync(`${path}.${gap}`)) gap++;
  if (gap > keep) removeIfThere(`${path}.${keep}`);
  for (let number = Math.min(gap, keep) - 1; number >= 1; number--) renameSync(`${path}.${number}`, `${path}.${number + 1}`);
  renameSync(file, `${path}.1`);
}

function stateOf(path: string, fd: number): LogState {
  const { ino, uid, size } = fstatSync(fd);
  const state = decodeLogState(readStateText(path, uid));
  if (state && state.file === ino) {
    // Somebody has emptied it since.
    const isEmptied = state.cut === null && state.begin > size;
    return { ...state, next: null, ...(isEmptied ? { base: state.base + state.begin, begin: 0 } : {}) };
  }
  // Of another file: what is noted of a cut has still to be filed.
  if (state && state.cut !== null) return state;
  return succeed(state, ino);
}

/** What is known of the file that came in the place of another. */
export function succeed(state: LogState | undefined, file: number): LogState {
  if (!state || state.next === null) return { file, base: 0, begin: 0, next: null, cut: null, before: null, torn: [] };
  return { file, base: state.next, begin: 0, next: null, cut: null, before: { file: state.file, base: state.base }, torn: state.torn };
}

function blockOf(ability: ShortenAbility): number {
  return ability.kind === 'collapse' ? ability.blockBytes : 1;
}

/** As long as the parser wants it, wherever it comes from. */
function markOf(): string {
  return randomId().toLowerCase();
}

function numberOf(rotated: string): number {
  return Number(rotated.slice(rotated.lastIndexOf('.') + 1));
}

/** Only a regular file of ours that has no other name: of any other nobody knows who relies on its offsets. */
function openOwn(path: string): number | undefined {
  const named = lstatSync(path, { throwIfNoEntry: false });
  if (!named || !isOwn(named)) return undefined;
  let fd: number;
  try {
    // Not for appending: the mark is written over its head.
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw fileFailure(error, path, 'write');
  }
  if (isOwn(fstatSync(fd))) return fd;
  closeSync(fd);
  return undefined;
}

function isOwn(stat: Stats): boolean {
  return stat.isFile() && stat.nlink === 1 && stat.uid === (process.geteuid?.() ?? stat.uid);
}

function removeQuietly(path: string): void {
  try {
    removeIfThere(path);
  } catch {
    // The next copy takes its place.
  }
}

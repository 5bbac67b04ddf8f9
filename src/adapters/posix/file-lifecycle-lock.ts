import { constants, fchmodSync, fstatSync, ftruncateSync, lstatSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import { judgeObservation, judgeWorld, type Observation, type ProcessIdentity, type Vantage } from '../../domain/identity.js';
import type { Clock, DaemonRef, HeldLock, LifecycleLock, LockWait } from '../../domain/ports.js';
import { claimFile, readClaim } from '../files/claim-file.js';
import type { FileDescriptorRepo } from '../files/file-descriptor-repo.js';
import { errnoOf, fileFailure, naming, unsafe } from '../files/file-errors.js';
import { decodeHolder, encodeHolder, type LockHolder, readHolder } from '../files/lock-holder.js';
import { randomId } from '../files/random-id.js';
import { closeQuietly, readOwnFile, removeIfThere } from '../files/safe-files.js';

export type KernelLockOutcome = 'locked' | 'busy' | 'unavailable';

/** How the kernel holds a lock on a file of ours: freed when the file is closed, so also when its holder dies. */
export interface KernelLock {
  /** Flags beside read and write with which the file is opened; macOS locks by them. */
  readonly openFlags: number;
  /** Locks the open file. May wait until `waitMs` are over or `signal` aborts; `busy` then. */
  lock(fd: number, waitMs: number, signal: AbortSignal | undefined): Promise<KernelLockOutcome>;
}

export interface LockSystem {
  readonly clock: Clock;
  readonly repo: FileDescriptorRepo;
  readonly inspector: { vantage(): Vantage; observe(pid: number): Observation };
  readonly kernelLock: KernelLock;
  /** In writing, where nothing stands in the way of that: for a program that takes many locks in haste, since the kernel's may take a helper process. */
  readonly claimsFirst?: boolean | undefined;
}

/** Between two looks at a lock that can't be waited for in the kernel. */
const pollMs = 20;

interface Attempt {
  /** Lets go of it; `undefined` when it was busy. */
  readonly release: (() => void) | undefined;
}

/**
 * One file for each daemon. The kernel holds the lock where it can; its content says who holds it. Whoever can't have the
 * kernel's lock claims a second file instead, and each kind announces itself before it looks for the other (Dekker's
 * order), so that the two never both win.
 */
export class FileLifecycleLock implements LifecycleLock {
  private readonly nonce = randomId();
  /** The home's own lock, while it is held or waited for. */
  private home: Promise<void> | undefined;
  /** Claims of ours that are held: the next one may be another link to the same file. */
  private readonly claims = new Set<string>();

  constructor(private readonly system: LockSystem) {}

  async acquire(ref: DaemonRef, wait: LockWait): Promise<HeldLock> {
    const { repo } = this.system;
    const deadline = this.system.clock.monotonicMs() + wait.timeoutMs;
    const release = await this.acquireFile(await this.prepareFolder(ref, deadline, wait), ref.name, deadline, wait);
    // The name as it is spelled on disk: two spellings are one daemon.
    return { ref: repo.hold(ref), release };
  }

  holder(ref: DaemonRef): ProcessIdentity | undefined {
    return this.livingHolder(this.system.repo.locate(ref).files);
  }

  /** A killed holder's words stay behind, and must not hide who claimed the other file since. */
  private livingHolder(files: { lock: string; claim: string }): LockHolder | undefined {
    return [readClaim(files.lock), readClaim(files.claim)].find((holder) => holder !== undefined && !this.isFree(holder));
  }

  /** Two first starters of one name in two spellings must not make two folders, so the first folder is made under the home's own lock. */
  private async prepareFolder(ref: DaemonRef, deadline: number, wait: LockWait): Promise<{ lock: string; claim: string }> {
    const { repo } = this.system;
    const known = repo.openFolder(ref);
    if (known) return known;
    if (this.system.claimsFirst) {
      await this.shareHome(ref.name, deadline, wait);
      return repo.createFolder(ref);
    }
    const release = await this.acquireHome(ref.name, deadline, wait);
    try {
      return repo.createFolder(ref);
    } finally {
      release();
    }
  }

  /** Returns while it is held for this turn of the event loop: whoever starts hundreds makes all of their folders in it. A program that may end within it lets go at once. */
  private async shareHome(name: string, deadline: number, wait: LockWait): Promise<void> {
    while (this.home) {
      // What another one could not have is tried once more, in our own time.
      if (await succeeds(this.home)) return;
    }
    this.home = this.holdHome(name, deadline, wait);
    await this.home;
  }

  private async holdHome(name: string, deadline: number, wait: LockWait): Promise<void> {
    try {
      const release = await this.acquireHome(name, deadline, wait);
      setImmediate(() => {
        this.home = undefined;
        release();
      });
    } catch (error) {
      this.home = undefined;
      throw error;
    }
  }

  private async acquireHome(name: string, deadline: number, wait: LockWait): Promise<() => void> {
    const { repo } = this.system;
    const home = repo.createHome();
    const release = await this.acquireFile({ lock: join(home, '.lock'), claim: join(home, '.lock.claim') }, name, deadline, wait);
    repo.lookAnew();
    return release;
  }

  private async acquireFile(files: { lock: string; claim: string }, name: string, deadline: number, wait: LockWait): Promise<() => void> {
    const { clock } = this.system;
    for (;;) {
      const leftMs = deadline - clock.monotonicMs();
      if (wait.signal?.aborted) throw new DaemonError('cancelled', `the wait for the lock of ${name} was cancelled`, { name });
      if (leftMs <= 0) throw this.timedOut(files, name, wait);
      const attempt = await this.attempt(files, leftMs, wait.signal);
      if (attempt.release) return attempt.release;
      await clock.sleep(Math.min(pollMs, leftMs), wait.signal);
    }
  }

  private async attempt(files: { lock: string; claim: string }, leftMs: number, signal: AbortSignal | undefined): Promise<Attempt> {
    if (this.system.claimsFirst) {
      const release = this.claimInHaste(files);
      if (release) return { release };
      // Else a full disk, or what is no claim, must not keep a daemon from being stopped.
      if (this.livingHolder(files)) return { release: undefined };
    }
    const opened = openLockFile(files.lock, this.system.kernelLock.openFlags);
    if (opened === 'busy') return { release: undefined };
    const { fd } = opened;
    let kept = false;
    try {
      const outcome = opened.lockable ? await this.system.kernelLock.lock(fd, leftMs, signal) : 'unavailable';
      if (outcome === 'busy') return { release: undefined };
      const release =
        outcome === 'locked'
          ? this.announceKernelLock(fd, files)
          : this.claim(files, () => naming(files.lock, 'read', () => readHolder(fd)));
      kept = outcome === 'locked' && release !== undefined;
      return { release };
    } finally {
      if (!kept) closeQuietly(fd);
    }
  }

  private announceKernelLock(fd: number, files: { lock: string; claim: string }): (() => void) | undefined {
    // A lock on a file that the path does not lead to any more excludes nobody.
    if (!isSameFile(fd, files.lock)) return undefined;
    const before = naming(files.lock, 'read', () => readHolder(fd));
    if (before && before.by === 'claim' && !this.isFree(before)) return undefined;
    const release = () => {
      // The kernel frees it with the file. Words that stay name us, and are obeyed for as long as we live at most.
      quietly(() => ftruncateSync(fd, 0));
      quietly(() => setWordless(fd, false));
      closeQuietly(fd);
    };
    const words = encodeHolder(this.me('kernel'));
    try {
      ftruncateSync(fd, 0);
      writeSync(fd, words, 0);
    } catch (error) {
      // A full disk must not keep a daemon from being stopped: the kernel's lock holds without the words.
      if (errnoOf(error) !== 'ENOSPC' && errnoOf(error) !== 'EDQUOT') throw fileFailure(error, files.lock, 'write');
      naming(files.lock, 'write', () => setWordless(fd, true));
    }
    const claim = readClaim(files.claim);
    if (!claim || this.isFree(claim)) return release;
    naming(files.lock, 'write', () => ftruncateSync(fd, 0));
    return undefined;
  }

  private claimInHaste(files: { lock: string; claim: string }): (() => void) | undefined {
    try {
      // Whoever has the kernel's lock has made its file before he looks for claims: here there need not be one.
      return this.claim(files, () => readLockFile(files.lock));
    } catch (error) {
      if (isDaemonError(error)) return undefined;
      throw error;
    }
  }

  private claim(files: { lock: string; claim: string }, otherHolder: () => LockHolder | undefined): (() => void) | undefined {
    const [like] = this.claims;
    if (!claimFile(files.claim, this.me('claim'), (holder) => this.isFree(holder), like)) return undefined;
    this.claims.add(files.claim);
    const release = () => {
      this.claims.delete(files.claim);
      quietly(() => removeIfThere(files.claim));
    };
    try {
      const holder = otherHolder();
      if (!holder || this.isFree(holder)) return release;
    } catch (error) {
      release();
      throw error;
    }
    release();
    return undefined;
  }

  private me(by: LockHolder['by']): LockHolder {
    return { ...this.system.inspector.vantage(), by, nonce: this.nonce };
  }

  /** Only a holder that is proven dead is none. */
  private isFree(holder: ProcessIdentity): boolean {
    const world = judgeWorld(holder, this.system.inspector.vantage(), undefined);
    if (world.kind !== 'same') return world.kind === 'ended';
    const sighting = judgeObservation(holder, this.system.inspector.observe(holder.pid));
    return sighting.kind === 'gone' || sighting.kind === 'zombie' || sighting.kind === 'stranger';
  }

  private timedOut(files: { lock: string; claim: string }, name: string, wait: LockWait): DaemonError {
    const holder = this.livingHolder(files);
    const who = holder ? `pid ${holder.pid}` : 'another process';
    return new DaemonError('lock-timeout', `${who} has been starting or stopping ${name} for more than ${wait.timeoutMs} ms`, {
      name,
      pid: holder?.pid ?? null,
      path: files.lock,
    });
  }
}

function readLockFile(path: string): LockHolder | undefined {
  if (isWordless(path)) throw unsafe(path, 'only the kernel can tell who has it');
  const file = readOwnFile(path);
  if (file && 'notAFile' in file) throw unsafe(path, file.notAFile);
  return file && decodeHolder(file.text);
}

/**
 * On a full disk the kernel's lock is held without words, while a link may still be made there: the mode of the file, which needs no
 * space, says that only the kernel can tell whether somebody has it.
 */
const wordlessMode = 0o700;

function setWordless(fd: number, isWordless: boolean): void {
  if (isWordless !== ((fstatSync(fd).mode & 0o100) !== 0)) fchmodSync(fd, isWordless ? wordlessMode : 0o600);
}

function isWordless(path: string): boolean {
  const stat = naming(path, 'read', () => lstatSync(path, { throwIfNoEntry: false }));
  return stat !== undefined && (stat.mode & 0o100) !== 0;
}

interface LockFile {
  readonly fd: number;
  /** False where opening with the lock's own flags failed, but without them did not: no locks on this file system. */
  readonly lockable: boolean;
}

function openLockFile(path: string, lockFlags: number): LockFile | 'busy' {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  try {
    return { fd: regularFile(openSync(path, flags | lockFlags, 0o600), path), lockable: true };
  } catch (error) {
    if (isDaemonError(error)) throw error;
    if (lockFlags === 0) throw fileFailure(error, path, 'write');
    if (errnoOf(error) === 'EAGAIN') return 'busy';
  }
  return { fd: naming(path, 'write', () => regularFile(openSync(path, flags, 0o600), path)), lockable: false };
}

function regularFile(fd: number, path: string): number {
  try {
    if (fstatSync(fd).isFile()) return fd;
  } catch (error) {
    closeQuietly(fd);
    throw error;
  }
  closeQuietly(fd);
  throw unsafe(path, 'it is not a regular file');
}

function isSameFile(fd: number, path: string): boolean {
  return naming(path, 'read', () => {
    const named = statSync(path, { throwIfNoEntry: false });
    const open = fstatSync(fd);
    return named !== undefined && named.ino === open.ino && named.dev === open.dev;
  });
}

async function succeeds(work: Promise<void>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    return false;
  }
}

/** What was done under the lock is done, and must not be told as a failure because the lock could not be let go of. */
function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Our own end lets go of it.
  }
}

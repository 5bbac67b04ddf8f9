import { constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { judgeObservation, judgeWorld, type Observation, type ProcessIdentity, type Vantage } from '../../domain/identity.js';
import type { Clock, DaemonRef, HeldLock, LifecycleLock, LockWait } from '../../domain/ports.js';
import type { FileDescriptorRepo } from '../files/file-descriptor-repo.js';
import { errnoOf, fileFailure } from '../files/file-errors.js';
import { decodeHolder, encodeHolder, type LockHolder } from '../files/lock-holder.js';
import { randomId } from '../files/random-id.js';
import { closeQuietly, readOwnFile, removeIfThere, writeAtomically } from '../files/safe-files.js';

/** libuv's `UV_FS_O_EXLOCK`: the file is opened so that nobody else can open it until it is closed, also by our end. */
const openExclusively = 0x1000_0000;
/** Windows can't wait for a file to be closed. */
const pollMs = 20;

export interface WindowsLockSystem {
  readonly clock: Clock;
  readonly repo: FileDescriptorRepo;
  readonly inspector: { vantage(): Vantage; observe(pid: number): Observation };
}

interface LockFiles {
  readonly lock: string;
  readonly claim: string;
}

/** One file for each daemon, which only one process can have open. Who has is said in a second one, since nobody can read the first. */
export class WindowsLifecycleLock implements LifecycleLock {
  constructor(private readonly system: WindowsLockSystem) {}

  async acquire(ref: DaemonRef, wait: LockWait): Promise<HeldLock> {
    const { repo, clock } = this.system;
    const deadline = clock.monotonicMs() + wait.timeoutMs;
    const release = await this.open(await this.prepareFolder(ref, deadline, wait), ref.name, deadline, wait);
    // The name as it is spelled on disk: two spellings are one daemon.
    return { ref: repo.hold(ref), release };
  }

  holder(ref: DaemonRef): ProcessIdentity | undefined {
    return this.livingHolder(this.system.repo.locate(ref).files.claim);
  }

  /** Two first starters of one name must not make two folders in two spellings, so the first is made under the home's own lock. */
  private async prepareFolder(ref: DaemonRef, deadline: number, wait: LockWait): Promise<LockFiles> {
    const { repo } = this.system;
    const known = repo.openFolder(ref);
    if (known) return known;
    const home = repo.createHome();
    const release = await this.open({ lock: join(home, '.lock'), claim: join(home, '.lock.claim') }, ref.name, deadline, wait);
    try {
      return repo.createFolder(ref);
    } finally {
      release();
    }
  }

  private async open(files: LockFiles, name: string, deadline: number, wait: LockWait): Promise<() => void> {
    const { clock } = this.system;
    for (;;) {
      const leftMs = deadline - clock.monotonicMs();
      if (wait.signal?.aborted) throw new DaemonError('cancelled', `the wait for the lock of ${name} was cancelled`, { name });
      if (leftMs <= 0) throw this.timedOut(files, name, wait);
      const fd = tryOpen(files.lock);
      if (fd !== undefined) return this.announce(fd, files);
      await clock.sleep(Math.min(pollMs, leftMs), wait.signal);
    }
  }

  private announce(fd: number, files: LockFiles): () => void {
    const { pid, startToken, bootId, pidNamespace, timeNamespace, host } = this.system.inspector.vantage();
    const me: LockHolder = { pid, startToken, bootId, pidNamespace, timeNamespace, host, by: 'kernel', nonce: randomId() };
    // For those who wait, to say for whom. The lock holds without it, also on a full disk.
    quietly(() => writeAtomically(files.claim, encodeHolder(me)));
    return () => {
      quietly(() => removeIfThere(files.claim));
      closeQuietly(fd);
    };
  }

  private livingHolder(claim: string): LockHolder | undefined {
    const { inspector } = this.system;
    const file = readOwnFile(claim);
    const holder = file && 'text' in file ? decodeHolder(file.text) : undefined;
    if (!holder || judgeWorld(holder, inspector.vantage(), undefined).kind !== 'same') return undefined;
    const sighting = judgeObservation(holder, inspector.observe(holder.pid));
    return sighting.kind === 'alive' || sighting.kind === 'cannot-tell' ? holder : undefined;
  }

  private timedOut(files: LockFiles, name: string, wait: LockWait): DaemonError {
    const holder = this.livingHolder(files.claim);
    const who = holder ? `pid ${holder.pid}` : 'another process';
    return new DaemonError('lock-timeout', `${who} has been starting or stopping ${name} for more than ${wait.timeoutMs} ms`, {
      name,
      pid: holder?.pid ?? null,
      path: files.lock,
    });
  }
}

/** `undefined` while another has it open. A scanner that looks at the file may be that other, for a moment. */
function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | openExclusively, 0o600);
  } catch (error) {
    if (errnoOf(error) === 'EBUSY') return undefined;
    throw fileFailure(error, path, 'write');
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Words only: the kernel holds the lock.
  }
}

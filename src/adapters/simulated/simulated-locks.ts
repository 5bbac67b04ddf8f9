import type { ProcessIdentity } from '../../domain/identity.js';
import type { Schedule } from './schedule.js';

/** Who can hold a lock: whose end frees it. */
export interface LockOwner {
  readonly ended: boolean;
  readonly identity: ProcessIdentity;
}

interface LockWaiter {
  readonly owner: LockOwner;
  readonly granted: () => void;
}

interface Lock {
  holder: LockOwner | undefined;
  /** What the lock's file says: left as it is when a holder dies. */
  content: ProcessIdentity | undefined;
  readonly waiters: LockWaiter[];
}

/** Locks that the kernel holds. */
export class SimulatedLocks {
  /** Counts whatever changes hands, so that a judge looks only then. */
  changes = 0;

  private readonly locks = new Map<string, Lock>();

  constructor(private readonly schedule: Schedule) {}

  /** Calls `granted` when `owner` has it, at once or later. Returns how to leave the queue. */
  request(key: string, owner: LockOwner, granted: () => void): () => void {
    const lock = this.find(key);
    const waiter = { owner, granted };
    lock.waiters.push(waiter);
    this.grant(lock);
    return () => {
      const index = lock.waiters.indexOf(waiter);
      if (index >= 0) lock.waiters.splice(index, 1);
    };
  }

  /** By its holder: its file says nothing then. */
  release(key: string, owner: LockOwner): void {
    const lock = this.find(key);
    if (lock.holder !== owner) return;
    lock.content = undefined;
    lock.holder = undefined;
    this.changes++;
    this.grant(lock);
  }

  /** By the kernel: a process has ended. */
  abandon(owner: LockOwner): void {
    for (const lock of this.locks.values()) {
      const own = lock.waiters.findIndex((waiter) => waiter.owner === owner);
      if (own >= 0) lock.waiters.splice(own, 1);
      if (lock.holder !== owner) continue;
      lock.holder = undefined;
      this.changes++;
      this.grant(lock);
    }
  }

  holder(key: string): LockOwner | undefined {
    return this.find(key).holder;
  }

  /** The lock that somebody holds who has ended. There is none, unless this kernel is broken. */
  findOrphan(): string | undefined {
    for (const [key, { holder }] of this.locks) if (holder?.ended) return key;
    return undefined;
  }

  state(key: string): 'free' | 'held' | 'wanted' {
    const lock = this.locks.get(key);
    if (!lock?.holder) return 'free';
    return lock.waiters.length > 0 ? 'wanted' : 'held';
  }

  content(key: string): ProcessIdentity | undefined {
    return this.find(key).content;
  }

  private find(key: string): Lock {
    let lock = this.locks.get(key);
    if (!lock) {
      lock = { holder: undefined, content: undefined, waiters: [] };
      this.locks.set(key, lock);
    }
    return lock;
  }

  /** In no order: a kernel may promise one, but nobody should need it. */
  private grant(lock: Lock): void {
    while (!lock.holder && lock.waiters.length > 0) {
      const index = this.schedule.random.below(lock.waiters.length);
      const [next] = lock.waiters.splice(index, 1);
      if (!next || next.owner.ended) continue;
      lock.holder = next.owner;
      this.changes++;
      lock.content = next.owner.identity;
      next.granted();
    }
  }
}

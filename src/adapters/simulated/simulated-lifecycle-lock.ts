import { DaemonError } from '../../domain/daemon-error.js';
import type { ProcessIdentity } from '../../domain/identity.js';
import type { DaemonRef, HeldLock, LifecycleLock, LockWait } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';
import type { LockOwner } from './simulated-locks.js';

export class SimulatedLifecycleLock implements LifecycleLock {
  constructor(private readonly actor: SimulatedActor) {}

  acquire(ref: DaemonRef, { timeoutMs, signal }: LockWait): Promise<HeldLock> {
    return this.actor.wait('lock.acquire', (waking) => {
      const { locks, disk, schedule } = this.actor.world;
      const { name } = disk.create(ref);
      const key = disk.keyOf(ref);
      const cancelled = () => new DaemonError('cancelled', `the wait for the lock of ${name} was cancelled`, { name });
      if (signal?.aborted) return waking.reject(cancelled());

      // One actor may hold several: each hold is an owner of its own, which ends with the actor.
      const owner = new HoldOwner(this.actor);
      const leave = (how: () => void) => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
        how();
      };
      const abort = () =>
        leave(() => {
          withdraw();
          waking.reject(cancelled());
        });
      const timer = schedule.after(timeoutMs, () =>
        leave(() => {
          withdraw();
          waking.reject(timedOut(name, locks.content(key), timeoutMs));
        }),
      );
      signal?.addEventListener('abort', abort);
      this.actor.process.onEnd(() => locks.abandon(owner));
      let withdraw = () => {};
      withdraw = locks.request(key, owner, () =>
        leave(() => waking.resolve({ ref: { ...ref, name }, release: () => this.release(key, owner) })),
      );
    });
  }

  holder(ref: DaemonRef): Promise<ProcessIdentity | undefined> {
    return this.actor.call('lock.holder', () => this.actor.world.locks.content(this.actor.world.disk.keyOf(ref)));
  }

  private release(key: string, owner: LockOwner): Promise<void> {
    return this.actor.call('lock.release', () => this.actor.world.locks.release(key, owner));
  }
}

class HoldOwner implements LockOwner {
  constructor(private readonly actor: SimulatedActor) {}

  get ended(): boolean {
    return this.actor.ended;
  }

  get identity(): ProcessIdentity {
    return this.actor.identity;
  }
}

function timedOut(name: string, holder: ProcessIdentity | undefined, timeoutMs: number): DaemonError {
  return new DaemonError('lock-timeout', `pid ${holder?.pid} has been starting or stopping ${name} for more than ${timeoutMs} ms`, {
    name,
    pid: holder?.pid ?? null,
  });
}

import type { SeededRandom } from '../../src/adapters/simulated/seeded-random.js';
import { DaemonError } from '../../src/domain/daemon-error.js';

/** A call that fails as the real one does: the so many-th of its kind in a verb, or that one and all after it. */
export interface Failure {
  readonly of: FailingCall;
  readonly nth: number;
  readonly forGood: boolean;
  readonly errno: string;
  /** `after`: reported as failed, and done all the same, as a network file system may. */
  readonly when: 'before' | 'after';
}

const writing = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'EACCES', 'EPERM'] as const;
const reading = ['EIO', 'EMFILE', 'ENFILE', 'ENOMEM', 'EACCES'] as const;
const exhausted = ['EMFILE', 'ENFILE', 'ENOMEM'] as const;

/** What each call of a port may fail with on a real system. Those that are not here answer, whatever happens. */
export const failuresOf = {
  'descriptors.place': reading,
  'descriptors.read': reading,
  'descriptors.write': writing,
  'descriptors.clear': writing,
  'descriptors.createInstance': writing,
  'descriptors.readSpec': reading,
  'descriptors.writeSpec': writing,
  'descriptors.names': reading,
  'logs.prepare': writing,
  'logs.tail': reading,
  'lock.acquire': writing,
  'lock.holder': reading,
  'spawner.resolve': reading,
  'spawner.spawn': ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'EPERM'],
  'inspector.observe': exhausted,
  'inspector.survey': exhausted,
  'inspector.marksOf': exhausted,
  'inspector.ownLineage': exhausted,
  'inspector.isNamespaceInhabited': exhausted,
  'readiness.check': reading,
  'signals.send': exhausted,
  'signals.sendToGroup': exhausted,
} as const satisfies Record<string, readonly string[]>;

export type FailingCall = keyof typeof failuresOf | 'any write' | 'any call';

const failingCalls = Object.keys(failuresOf) as (keyof typeof failuresOf)[];

export function randomFailure(random: SeededRandom): Failure {
  const [nth, forGood] = [1 + random.below(4), random.chance(0.4)];
  const dice = random.next();
  // A full disk fails every write, an exhausted process every call.
  if (dice < 0.15) return { of: 'any write', nth, forGood, errno: random.pick(['ENOSPC', 'EROFS', 'EIO', 'EACCES']), when: 'before' };
  if (dice < 0.25) return { of: 'any call', nth: 1 + random.below(40), forGood, errno: random.pick(exhausted), when: 'before' };
  const of = random.pick(failingCalls);
  const when = failuresOf[of] === writing && of !== 'lock.acquire' && random.chance(0.3) ? 'after' : 'before';
  return { of, nth, forGood, errno: random.pick<string>(failuresOf[of]), when };
}

export function concerns({ of }: Failure, call: string): boolean {
  if (of === call) return true;
  if (!(call in failuresOf) || (of !== 'any write' && of !== 'any call')) return false;
  return of === 'any call' || failuresOf[call as keyof typeof failuresOf] === writing;
}

/** The error that the adapters make of an errno. */
export function failureOf(call: string, errno: string): DaemonError {
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'not-permitted' : 'unwritable';
  return new DaemonError(code, `${call}: ${errno}`, { path: `/simulated/${call}`, errno });
}

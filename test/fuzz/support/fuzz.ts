import fc from 'fast-check';
import type { DaemonErrorCode } from '../../../src/domain/daemon-error.js';
import { isDaemonError } from '../../../src/domain/daemon-error.js';

const usualSeed = 20_261_123;

/**
 * One seed, so that a run tells of the code and not of its luck. To look for news: `DAEMONRY_SEED` takes another one, and
 * `DAEMONRY_FUZZ_RUNS` multiplies the number of runs. fast-check prints the seed and the path of what it found.
 */
export function runs(usual: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: numberIn('DAEMONRY_SEED') ?? usualSeed, numRuns: usual * (numberIn('DAEMONRY_FUZZ_RUNS') ?? 1) };
}

function numberIn(name: string): number | undefined {
  const text = process.env[name];
  if (text === undefined || text === '') return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`${name} is a whole number, not ${JSON.stringify(text)}`);
  return number;
}

/** Every code there is: a missing one does not compile. */
const closedCodes: Readonly<Record<DaemonErrorCode, true>> = {
  'invalid-name': true,
  'invalid-spec': true,
  'invalid-project': true,
  'other-project': true,
  'no-remembered-spec': true,
  'command-not-found': true,
  'not-executable': true,
  'not-permitted': true,
  'unsafe-home': true,
  unwritable: true,
  'unknown-daemon': true,
  'not-found': true,
  'not-running': true,
  'supervisor-hangs': true,
  'not-reloadable': true,
  'reload-failed': true,
  'already-running': true,
  'ended-before-ready': true,
  'ended-badly': true,
  'ready-timeout': true,
  'lock-timeout': true,
  'stop-timeout': true,
  'wait-timeout': true,
  'version-mismatch': true,
  'not-serving': true,
  'protocol-error': true,
  'socket-unusable': true,
  'not-a-daemon': true,
  unsupported: true,
  'no-service-manager': true,
  'autostart-failed': true,
  cancelled: true,
};

/** The code of a failure that has one. Whatever else was thrown is thrown on: it's what is looked for. */
export function codeOf(thrown: unknown): DaemonErrorCode {
  if (isDaemonError(thrown) && Object.hasOwn(closedCodes, thrown.code)) return thrown.code;
  throw thrown;
}

/** What work comes to: its result, or the code that it fails with. */
export async function outcomeOf<T>(work: () => T | Promise<T>): Promise<T | { readonly failure: DaemonErrorCode }> {
  try {
    return await work();
  } catch (thrown) {
    return { failure: codeOf(thrown) };
  }
}

/** Whether nobody's input has reached what all objects share. */
export function isPrototypeClean(): boolean {
  return Reflect.ownKeys(Object.prototype).length === ownKeysOfObjects && Reflect.ownKeys(Array.prototype).length === ownKeysOfArrays;
}

const ownKeysOfObjects = Reflect.ownKeys(Object.prototype).length;
const ownKeysOfArrays = Reflect.ownKeys(Array.prototype).length;

export { fc };

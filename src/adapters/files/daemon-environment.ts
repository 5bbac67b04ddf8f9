import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { DaemonError } from '../../domain/daemon-error.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import { formatOwner } from '../../domain/owner.js';
import type { LaunchRequest } from '../../domain/ports.js';
import { shown } from '../../domain/shown.js';
import { isVariableName } from '../../domain/variable-name.js';
import { blockThread } from '../block-thread.js';
import { monotonicMs } from '../monotonic-ms.js';
import { errnoOf } from './file-errors.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment that a spec asks for: the caller's or a clean one, then the files', then the values given. */
export function composeEnvironment(spec: DaemonSpec, caller: Environment): Record<string, string> {
  // Not `Object.assign`, which would set what stands behind __proto__ instead of a variable of that name.
  const env: Record<string, string> = Object.fromEntries(
    [inherited(spec, caller), ...spec.envFiles.map((path) => readEnvFile(path, spec.restart === 'never')), spec.env].flatMap(
      Object.entries,
    ),
  );
  // A daemon started from within another one must not take itself for that one.
  for (const name of Object.keys(env)) if (marksOfOthers.has(name)) delete env[name];
  for (const [name, value] of Object.entries(env)) {
    if (!isVariableName(name) || value.includes('\0')) {
      throw new DaemonError('invalid-spec', `${shown(name)} can't be an environment variable`, { name });
    }
  }
  return { ...env, PWD: spec.cwd };
}

/** What a spec takes of its caller's environment. */
export function inherited(spec: Pick<DaemonSpec, 'cleanEnv' | 'passEnv'>, caller: Environment): Record<string, string> {
  return pick(caller, spec.cleanEnv ? ['PATH', 'HOME', ...spec.passEnv] : Object.keys(caller));
}

/** How a daemon learns its place. */
export function marksEnvironment(
  request: Pick<LaunchRequest, 'marks' | 'notifyFile' | 'owner'>,
  notifyFd: number | undefined,
): Record<string, string> {
  const { name, instanceId, socket, descriptor } = request.marks;
  return {
    DAEMONRY_NAME: name,
    DAEMONRY_INSTANCE: instanceId,
    DAEMONRY_SOCKET: socket,
    DAEMONRY_DESCRIPTOR: descriptor,
    ...(request.notifyFile === null ? {} : { DAEMONRY_NOTIFY_FILE: request.notifyFile }),
    ...(request.owner === undefined ? {} : { DAEMONRY_OWNER: formatOwner(request.owner) }),
    ...(notifyFd === undefined ? {} : { DAEMONRY_NOTIFY_FD: String(notifyFd) }),
  };
}

const marksOfOthers = new Set(
  ['NAME', 'INSTANCE', 'SOCKET', 'DESCRIPTOR', 'NOTIFY_FD', 'NOTIFY_FILE', 'OWNER'].map((name) => `DAEMONRY_${name}`),
);

function pick(from: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Object.hasOwn(from, name) ? from[name] : undefined;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Twice what a system gives a program for its environment; and the parser takes ever longer over lines that assign nothing. */
const largestEnvFileBytes = 1024 * 1024;
/** How long a pipe may have nobody who writes, and how long somebody who writes nothing: he may be asked for a password first. */
const openedWithinMs = 2_000;
const writtenWithinMs = 60_000;
const pollMs = 10;

/** Whoever restarts a daemon reads its files again at each start, and has others to look after: it waits for nobody who writes. */
const notAgain = 'it is a pipe, which can not be read again at a restart';

function readEnvFile(path: string, mayWait: boolean): Record<string, string> {
  try {
    // A byte order mark would become part of the first name.
    return parseEnv(
      readBounded(path, mayWait)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    ) as Record<string, string>;
  } catch (error) {
    const errno = errnoOf(error);
    const why = errno === 'ESPIPE' ? notAgain : errno;
    const allowed = errno === 'ESPIPE' ? { allowed: 'a supervised daemon takes its variables from a file' } : {};
    throw new DaemonError('invalid-spec', `can't read the environment file ${path}: ${why}`, { path, errno, ...allowed }, error);
  }
}

/** A pipe too, as the shell makes one for `<(…)`. Opened and read without blocking, since nothing could end that, not even Ctrl-C. */
function readBounded(path: string, mayWait: boolean): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const isPipe = fstatSync(fd).isFIFO();
    if (isPipe && !mayWait) throw errnoError('ESPIPE');
    const began = monotonicMs();
    const bytes = Buffer.allocUnsafe(largestEnvFileBytes + 1);
    for (let length = 0; length < bytes.length; ) {
      const count = readSome(fd, bytes, length);
      // Nothing from a pipe that never had anything in it: its writer is still to come.
      const isWaiting = count === undefined || (count === 0 && isPipe && length === 0);
      if (count === 0 && !isWaiting) return bytes.subarray(0, length);
      if (isWaiting && !mayWait) throw errnoError('ESPIPE');
      if (isWaiting) waitOn(monotonicMs() - began, count === undefined ? writtenWithinMs : openedWithinMs);
      length += count ?? 0;
    }
    throw errnoError('EFBIG');
  } finally {
    closeSync(fd);
  }
}

/** `undefined` where there is nothing yet. */
function readSome(fd: number, bytes: Buffer, at: number): number | undefined {
  try {
    return readSync(fd, bytes, at, bytes.length - at, null);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return undefined;
    throw error;
  }
}

function waitOn(waitedMs: number, boundMs: number): void {
  if (waitedMs >= boundMs) throw errnoError('ETIMEDOUT');
  blockThread(pollMs);
}

function errnoError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

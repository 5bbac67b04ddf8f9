import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { DaemonError } from '../../domain/daemon-error.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { LaunchRequest } from '../../domain/ports.js';
import { errnoOf } from './file-errors.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment that a spec asks for: the caller's or a clean one, then the files', then the values given. */
export function composeEnvironment(spec: DaemonSpec, caller: Environment): Record<string, string> {
  const base = spec.cleanEnv ? pick(caller, ['PATH', 'HOME', ...spec.passEnv]) : pick(caller, Object.keys(caller));
  const fromFiles = spec.envFiles.map(readEnvFile);
  const env = Object.assign(base, ...fromFiles, spec.env) as Record<string, string>;
  // A daemon started from within another one must not take itself for that one.
  for (const name of Object.keys(env)) if (marksOfOthers.has(name)) delete env[name];
  for (const [name, value] of Object.entries(env)) {
    if (name === '' || /[=\0]/.test(name) || value.includes('\0')) {
      throw new DaemonError('invalid-spec', `${JSON.stringify(name)} can't be an environment variable`, { name });
    }
  }
  return { ...env, PWD: spec.cwd };
}

/** How a daemon learns its place. */
export function marksEnvironment(
  request: Pick<LaunchRequest, 'marks' | 'notifyFile'>,
  notifyFd: number | undefined,
): Record<string, string> {
  const { name, instanceId, socket, descriptor } = request.marks;
  return {
    DAEMONRY_NAME: name,
    DAEMONRY_INSTANCE: instanceId,
    DAEMONRY_SOCKET: socket,
    DAEMONRY_DESCRIPTOR: descriptor,
    ...(request.notifyFile === null ? {} : { DAEMONRY_NOTIFY_FILE: request.notifyFile }),
    ...(notifyFd === undefined ? {} : { DAEMONRY_NOTIFY_FD: String(notifyFd) }),
  };
}

const marksOfOthers = new Set(['NAME', 'INSTANCE', 'SOCKET', 'DESCRIPTOR', 'NOTIFY_FD', 'NOTIFY_FILE'].map((name) => `DAEMONRY_${name}`));

function pick(from: Environment, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = from[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

function readEnvFile(path: string): Record<string, string> {
  try {
    // A byte order mark would become part of the first name.
    return parseEnv(readFileSync(path, 'utf8').replace(/^\uFEFF/, '')) as Record<string, string>;
  } catch (error) {
    throw new DaemonError(
      'invalid-spec',
      `can't read the environment file ${path}: ${errnoOf(error)}`,
      { path, errno: errnoOf(error) },
      error,
    );
  }
}

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { errnoOf } from '../files/file-errors.js';

/** `unseen`: in a folder that may not be searched. */
type Verdict = 'executable' | 'absent' | 'forbidden' | 'unseen';

/**
 * The absolute path that executing `command` in `cwd` would run, found before anything is spawned so that the reason of
 * a failure is exact. Throws `command-not-found` or `not-executable`.
 */
export function findExecutable(command: string, cwd: string, path: string): string {
  const isPath = command.includes('/');
  const candidates = isPath ? [resolve(cwd, command)] : pathEntries(path, cwd).map((folder) => join(folder, command));
  let forbidden: string | undefined;
  for (const file of candidates) {
    const verdict = examine(file);
    if (verdict === 'executable') return withInterpreter(file, command);
    // Another user's folder in PATH says nothing about a command that it may not even hold.
    if (verdict === 'forbidden' || (verdict === 'unseen' && isPath)) forbidden ??= file;
  }
  if (forbidden !== undefined) throw new DaemonError('not-executable', `${forbidden} is not executable`, { command, path: forbidden });
  throw new DaemonError('command-not-found', `command not found: ${command}`, { command, cwd });
}

/** A tool of the system's, wherever it is; `undefined` where there is none. */
export function findTool(name: string, path: string | undefined): string | undefined {
  return pathEntries(`${path ?? ''}:/usr/bin:/bin:/usr/sbin:/sbin`, '/')
    .map((folder) => join(folder, name))
    .find((file) => examine(file) === 'executable');
}

function pathEntries(path: string, cwd: string): readonly string[] {
  return path.split(':').map((entry) => (isAbsolute(entry) ? entry : resolve(cwd, entry)));
}

function examine(file: string): Verdict {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) return 'absent';
    return stat.isFile() && mayExecute(file) ? 'executable' : 'forbidden';
  } catch (error) {
    return ['EACCES', 'EPERM'].includes(errnoOf(error)) ? 'unseen' : 'absent';
  }
}

function mayExecute(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A script whose interpreter is missing fails as ENOENT, as if it were missing itself: say which of them it is. */
function withInterpreter(file: string, command: string): string {
  const interpreter = /^#![ \t]*(\S+)/.exec(firstBytes(file))?.[1];
  if (interpreter === undefined || !isAbsolute(interpreter)) return file;
  const verdict = examine(interpreter);
  if (verdict === 'executable') return file;
  const facts = { command, path: file, interpreter };
  if (verdict === 'absent') throw new DaemonError('command-not-found', `the interpreter ${interpreter} of ${file} is not found`, facts);
  throw new DaemonError('not-executable', `the interpreter ${interpreter} of ${file} is not executable`, facts);
}

/** Empty for a file that may be executed but not read. */
function firstBytes(file: string): string {
  try {
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const bytes = Buffer.alloc(256);
      return bytes.toString('latin1', 0, readSync(fd, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

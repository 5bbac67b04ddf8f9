import { statSync } from 'node:fs';
import { win32 } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { errnoOf } from '../files/file-errors.js';
import { variable } from './environment.js';

const usualExtensions = '.COM;.EXE;.BAT;.CMD';

export type Look = (file: string) => 'file' | 'other' | 'absent';

/**
 * The absolute path that running `command` in `cwd` means. Not as CreateProcess would look for it, which takes the
 * caller's folder and the folder of Node first: a name without a path is looked for in PATH alone.
 *
 * Throws `command-not-found` or `not-executable`.
 */
export function findExecutable(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  look: Look = lookAt,
): string {
  const extensions = extensionsOf(variable(env, 'PATHEXT'));
  const folders = /[\\/:]/.test(command) ? [cwd] : pathEntries(variable(env, 'PATH') ?? '', cwd);
  const candidates = folders.flatMap((folder) => candidateFiles(win32.resolve(cwd, folder, command), extensions));
  const found = candidates.find((file) => look(file) === 'file');
  if (found !== undefined) return found;
  const plain = folders.map((folder) => win32.resolve(cwd, folder, command)).find((file) => look(file) !== 'absent');
  if (plain !== undefined)
    throw new DaemonError('not-executable', `${plain} is not executable: ${extensions.join(', ')} would be`, { command, path: plain });
  throw new DaemonError('command-not-found', `command not found: ${command}`, { command, cwd });
}

/** A name that says what it is stands for itself first, then for itself with each ending. */
function candidateFiles(file: string, extensions: readonly string[]): readonly string[] {
  const own = win32.extname(file).toUpperCase();
  const withEndings = extensions.map((extension) => `${file}${extension.toLowerCase()}`);
  return extensions.includes(own) ? [file, ...withEndings] : withEndings;
}

/** Only what CreateProcess or cmd.exe can run; `.JS` and its like need a host that only a shell would know. */
function extensionsOf(pathExt: string | undefined): readonly string[] {
  const runnable = usualExtensions.split(';');
  const wanted = (pathExt || usualExtensions).split(';').map((extension) => extension.trim().toUpperCase());
  const found = wanted.filter((extension) => runnable.includes(extension));
  return found.length > 0 ? [...new Set(found)] : runnable;
}

/** Entries may be quoted, for a semicolon in a folder's name. */
function pathEntries(path: string, cwd: string): readonly string[] {
  const entries = path.match(/(?:"[^"]*"|[^;"])+/g) ?? [];
  return entries.map((entry) => win32.resolve(cwd, entry.replaceAll('"', '').trim()));
}

function lookAt(file: string): 'file' | 'other' | 'absent' {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat) return 'absent';
    return stat.isFile() ? 'file' : 'other';
  } catch (error) {
    return ['EACCES', 'EPERM', 'EBUSY'].includes(errnoOf(error)) ? 'other' : 'absent';
  }
}

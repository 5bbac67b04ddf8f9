import { closeSync, constants, existsSync, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { errnoOf } from '../files/file-errors.js';

export const projectFileNames = ['daemonry.yaml', 'daemonry.yml', 'daemonry.json'] as const;

/** Far more than anybody writes by hand. */
export const largestTextBytes = 1024 * 1024;

/** The project file of this folder, or of the nearest one above. Throws `not-found`; `invalid-project` where there are several. */
export function findProjectFile(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = projectFileNames.filter((name) => existsSync(join(folder, name)));
    if (found.length > 1) {
      throw new DaemonError('invalid-project', `${folder} has ${found.join(' and ')}: which of them is meant can't be told`, {
        allowed: 'keep one, or name it with --file',
      });
    }
    if (found[0]) return join(folder, found[0]);
    if (dirname(folder) === folder) break;
  }
  throw new DaemonError('not-found', `no ${projectFileNames.join(', ')} in ${resolve(from)} or above`, {
    allowed: 'write one, or name it with --file',
  });
}

/** A text file of bounded size, wherever it is. Throws `not-found`, `not-permitted`, `invalid-project`, each in one line. */
export function readTextFile(path: string): { readonly path: string; readonly text: string } {
  let fd: number;
  try {
    // Not blocking: nobody may ever write into a FIFO.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw unusable(path, 'is not a regular file');
    const bytes = readBounded(fd);
    if (bytes.length > largestTextBytes) throw unusable(path, 'is larger than 1 MB');
    return { path: realpathSync.native(path), text: decode(path, bytes) };
  } catch (error) {
    throw error instanceof DaemonError ? error : unreadable(path, error);
  } finally {
    closeSync(fd);
  }
}

function readBounded(fd: number): Buffer {
  const bytes = Buffer.allocUnsafe(largestTextBytes + 1);
  let length = 0;
  for (let count = -1; count !== 0 && length < bytes.length; length += count)
    count = readSync(fd, bytes, length, bytes.length - length, null);
  return bytes.subarray(0, length);
}

/** Less a byte order mark. */
function decode(path: string, bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Said below.
  }
  throw unusable(path, 'is not a text in UTF-8');
}

function unusable(path: string, why: string): DaemonError {
  return new DaemonError('invalid-project', `${path} ${why}`, { path });
}

function unreadable(path: string, error: unknown): DaemonError {
  const errno = errnoOf(error);
  if (errno === 'ENOENT' || errno === 'ENOTDIR') {
    return new DaemonError('not-found', `there is no file ${path}`, { path, allowed: 'check its spelling' }, error);
  }
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'not-permitted' : 'invalid-project';
  return new DaemonError(code, `can't read ${path}: ${errno}`, { path, errno }, error);
}

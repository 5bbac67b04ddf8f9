import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { errnoOf } from '../../adapters/files/file-errors.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { OwnPlace } from './own-place.js';

/** Says that this daemon is ready, where its starter waits for that. Throws `unwritable` with `path` and `errno`. */
export function announceReadiness({ notifyFd, notifyFile }: Pick<OwnPlace, 'notifyFd' | 'notifyFile'>): void {
  if (notifyFd !== null && isMeant(notifyFd, notifyFile) && writes(notifyFd)) return;
  if (notifyFile !== null) appendTo(notifyFile);
}

/** Behind npm, which closes what it doesn't know, the number may by now belong to something of Node's own. */
function isMeant(fd: number, file: string | null): boolean {
  if (file === null) return true;
  try {
    const open = fstatSync(fd);
    const named = statSync(file);
    return open.dev === named.dev && open.ino === named.ino;
  } catch {
    return false;
  }
}

function writes(fd: number): boolean {
  try {
    return writeSync(fd, '\n') === 1;
  } catch {
    return false;
  }
}

function appendTo(file: string): void {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  try {
    const fd = openSync(file, flags, 0o600);
    try {
      writeSync(fd, '\n');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new DaemonError('unwritable', `can't write ${file}: ${errnoOf(error)}`, { path: file, errno: errnoOf(error) }, error);
  }
}

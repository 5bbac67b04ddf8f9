import { accessSync, constants, statfsSync } from 'node:fs';
import { errnoOf } from './file-errors.js';

/**
 * Why nothing can be written in a folder, as an errno, without trying it: on a read-only disk the kernel says so to root as well.
 * A folder that is not there lacks nothing: it is made where it is needed.
 */
export function lackOfWriting(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const errno = errnoOf(error);
    return errno === 'ENOENT' ? undefined : errno;
  }
  return isFull(folder) ? 'ENOSPC' : undefined;
}

function isFull(folder: string): boolean {
  try {
    const { bavail, bfree, blocks, ffree, files } = statfsSync(folder);
    // What is kept back is root's. Some file systems count nothing, and are never full.
    const left = process.geteuid?.() === 0 ? bfree : bavail;
    return (blocks > 0 && left === 0) || (files > 0 && ffree === 0);
  } catch {
    return false;
  }
}

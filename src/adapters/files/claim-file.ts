import { linkSync, writeFileSync } from 'node:fs';
import { errnoOf, naming } from './file-errors.js';
import { decodeHolder, encodeHolder, type LockHolder } from './lock-holder.js';
import { readOwnFile, removeIfThere, temporaryPath } from './safe-files.js';

/** Crashed removers that may stand in line before a claim: each takes a crash inside three system calls. */
const deepestGraves = 8;

/**
 * Claims a path by linking a whole file to it, for where the kernel can't hold a lock for us. True when it is ours.
 * `like`: another claim of ours, which is held and says the same: to make a file takes many times as long as to link one.
 *
 * A dead holder's claim is removed by the one who claims its grave, a path that only that holder's nonce leads to: so
 * two removers never meet, and the living claim of whoever came after is never taken for the dead one.
 */
export function claimFile(path: string, me: LockHolder, isFree: (holder: LockHolder) => boolean, like?: string, depth = 0): boolean {
  const text = encodeHolder(me);
  if (linkWhole(path, text, like)) return true;
  const found = lookAt(path);
  if (found === 'absent' || found === 'unreadable' || (found !== 'empty' && !isFree(found)) || depth >= deepestGraves) return false;
  const nonce = nonceOf(found);
  const grave = `${path}.${nonce}`;
  if (!claimFile(grave, me, isFree, like, depth + 1)) return false;
  if (nonceOf(lookAt(path)) === nonce) naming(path, 'write', () => removeIfThere(path));
  naming(grave, 'write', () => removeIfThere(grave));
  return linkWhole(path, text, like);
}

export function readClaim(path: string): LockHolder | undefined {
  const found = lookAt(path);
  return typeof found === 'string' ? undefined : found;
}

type Found = LockHolder | 'absent' | 'empty' | 'unreadable';

/** What can't be understood may be a newer version's. But a claim appears with its content: an empty one was emptied by a power cut. */
function lookAt(path: string): Found {
  const file = readOwnFile(path);
  if (!file) return 'absent';
  if (!('text' in file)) return 'unreadable';
  return decodeHolder(file.text) ?? (/[^\0\s]/.test(file.text) ? 'unreadable' : 'empty');
}

/** No holder's own nonce is one of these words: theirs are random. And none that has words becomes empty later. */
function nonceOf(found: Found): string {
  return typeof found === 'string' ? found : found.nonce;
}

/**
 * Never seen empty: the file is written under another name and appears with its content. False where somebody else's is
 * there, or where the lock's holder has cleared away ours before it appeared.
 */
function linkWhole(path: string, text: string, like: string | undefined): boolean {
  return naming(path, 'write', () => {
    if (like !== undefined && linkAlike(like, path, text)) return true;
    const temporary = temporaryPath(path);
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      if (['EEXIST', 'ENOENT'].includes(errnoOf(error))) return false;
      throw error;
    } finally {
      removeIfThere(temporary);
    }
  });
}

/** False where that is no way: on another disk, for one, or where a person has removed the other claim and somebody else's stands there. */
function linkAlike(like: string, path: string, text: string): boolean {
  try {
    linkSync(like, path);
  } catch {
    return false;
  }
  let isOurs = false;
  try {
    const file = readOwnFile(path);
    isOurs = file !== undefined && 'text' in file && file.text === text;
    return isOurs;
  } finally {
    // Also where it can't be read just now: it names us, and nobody would let go of it.
    if (!isOurs) removeIfThere(path);
  }
}

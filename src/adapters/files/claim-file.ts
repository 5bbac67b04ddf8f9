import { linkSync, writeFileSync } from 'node:fs';
import { errnoOf, naming } from './file-errors.js';
import { decodeHolder, encodeHolder, type LockHolder } from './lock-holder.js';
import { readOwnFile, removeIfThere, temporaryPath } from './safe-files.js';

/** Crashed removers that may stand in line before a claim: each takes a crash inside three system calls. */
const deepestGraves = 8;

/**
 * Claims a path by linking a whole file to it, for where the kernel can't hold a lock for us. True when it is ours.
 *
 * A dead holder's claim is removed by the one who claims its grave, a path that only that holder's nonce leads to: so
 * two removers never meet, and the living claim of whoever came after is never taken for the dead one.
 */
export function claimFile(path: string, me: LockHolder, isFree: (holder: LockHolder) => boolean, depth = 0): boolean {
  if (linkWhole(path, encodeHolder(me))) return true;
  const holder = readClaim(path);
  if (!holder || !isFree(holder) || depth >= deepestGraves) return false;
  const grave = `${path}.${holder.nonce}`;
  if (!claimFile(grave, me, isFree, depth + 1)) return false;
  if (readClaim(path)?.nonce === holder.nonce) removeIfThere(path);
  removeIfThere(grave);
  return linkWhole(path, encodeHolder(me));
}

export function readClaim(path: string): LockHolder | undefined {
  const file = readOwnFile(path);
  return file && 'text' in file ? decodeHolder(file.text) : undefined;
}

/** Never seen empty: the file is written under another name and appears with its content. */
function linkWhole(path: string, text: string): boolean {
  return naming(path, 'write', () => {
    const temporary = temporaryPath(path);
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600 });
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      removeIfThere(temporary);
    }
  });
}

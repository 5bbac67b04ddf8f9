import { close, constants, fsync, ftruncate, open, read, write } from 'node:fs';
import { promisify } from 'node:util';
import { copyPath } from './log-state.js';
import { removeIfThere } from './safe-files.js';

const chunkBytes = 1024 * 1024;
/** How much of a piece may stay where it is for the sake of a cut between two lines. */
const mostLeft = 1 / 4;
/** The same of what is only read: no more than is read at a time. */
const mostLeftBytes = chunkBytes;
const newline = 0x0a;

const [openAsync, readAsync, writeAsync, fsyncAsync, ftruncateAsync, closeAsync] = [
  promisify(open),
  promisify(read),
  promisify(write),
  promisify(fsync),
  promisify(ftruncate),
  promisify(close),
];

export interface CopyRequest {
  /** The first byte to be copied, and the last place where the copy may end: a multiple of `blockBytes`. */
  readonly from: number;
  readonly to: number;
  /** The copy ends there, whatever stands there: nobody goes on writing. */
  readonly isWhole: boolean;
  /** The copy ends at a multiple of it. */
  readonly blockBytes: number;
  /** Nothing is written where nothing is kept. */
  readonly keep: boolean;
  readonly mode: number;
}

/** Where a copy ends, and whether that is within a line. */
export interface CopyEnd {
  readonly to: number;
  readonly isTorn: boolean;
}

/**
 * Copies the head of a log to its `.next`, up to the last place that may be cut, between two lines if there is such a place in
 * its last quarter. On disk when it returns. In the thread pool: whoever rotates has other daemons to look after.
 */
export async function copyHead(path: string, log: number, request: CopyRequest): Promise<CopyEnd> {
  const { from, to, blockBytes } = request;
  const mayBeLeft = Math.floor((to - from) * mostLeft);
  const least = request.isWhole ? to : to - (request.keep ? mayBeLeft : Math.min(mayBeLeft, mostLeftBytes));
  // One that is there belongs to a rotation that went no further, and is in no record.
  removeIfThere(copyPath(path));
  const out = request.keep ? await create(path, request.mode) : undefined;
  try {
    // What nobody copies need not be read, but for the place of the cut: from a block's beginning on, as cuts are.
    let [position, best, last] = [request.keep ? from : Math.max(from, least - (least % blockBytes)), -1, newline];
    const chunk = Buffer.allocUnsafe(chunkBytes);
    while (position < to) {
      const { bytesRead } = await readAsync(log, chunk, 0, Math.min(chunkBytes, to - position), position);
      if (bytesRead === 0) throw Object.assign(new Error('the log became shorter'), { code: 'EIO' });
      if (out !== undefined) await writeWhole(out, chunk, bytesRead);
      best = Math.max(best, lastCutIn(chunk.subarray(0, bytesRead), position, blockBytes));
      position += bytesRead;
      last = chunk[bytesRead - 1] as number;
    }
    const isBetween = best >= least && best > from;
    const end = isBetween ? best : to;
    if (out !== undefined) {
      if (end < to) await ftruncateAsync(out, end - from);
      await fsyncAsync(out);
    }
    return { to: end, isTorn: !request.isWhole && !isBetween && last !== newline };
  } finally {
    if (out !== undefined) await closeAsync(out);
  }
}

/** The last place in the chunk that a line ends at and that may be cut; -1 where there is none. */
function lastCutIn(chunk: Buffer, position: number, blockBytes: number): number {
  if (blockBytes === 1) {
    const found = chunk.lastIndexOf(newline);
    return found < 0 ? -1 : position + found + 1;
  }
  const end = position + chunk.length;
  for (let cut = end - (end % blockBytes); cut > position; cut -= blockBytes) if (chunk[cut - 1 - position] === newline) return cut;
  return -1;
}

async function create(path: string, mode: number): Promise<number> {
  return openAsync(copyPath(path), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, mode);
}

async function writeWhole(fd: number, chunk: Buffer, length: number): Promise<void> {
  for (let written = 0; written < length; ) written += (await writeAsync(fd, chunk, written, length - written)).bytesWritten;
}

import { type LogPiece, LogPieces, readPiece } from './log-pieces.js';

const chunkBytes = 64 * 1024;
/** The most that a tail gives back, whatever the lines are like. */
const largestTailBytes = 16 * 1024 * 1024;
/** How often it is read again because somebody rotated meanwhile. */
const mostReadings = 20;
const newline = 0x0a;

/** The last lines of a log between two offsets, the oldest first, over all of its files. */
export function tailOf(path: string, lines: number, fromOffset: number, toOffset: number): readonly string[] {
  for (let readings = 1; ; readings++) {
    const log = LogPieces.open(path);
    try {
      const found = lastLines(log, lines, fromOffset, toOffset);
      if (log.isCurrent() || readings >= mostReadings) return found;
    } finally {
      log.close();
    }
  }
}

/** Backwards, so that a large log costs no more than its end. */
function lastLines(log: LogPieces, lines: number, fromOffset: number, toOffset: number): readonly string[] {
  const chunks: Buffer[] = [];
  let newlines = 0;
  let room = largestTailBytes;
  const from = beginningIn(log, fromOffset);
  const add = (chunk: Buffer) => {
    for (const byte of chunk) if (byte === newline) newlines++;
    chunks.unshift(chunk);
    room -= chunk.length;
  };
  let reached = log.end;
  for (const piece of log.pieces.toReversed()) {
    if (piece.end <= from) break;
    if (chunks.length > 0 && !log.torn.has(piece.end) && !endsLine(piece)) add(Buffer.from('\n'));
    for (const chunk of backwards(piece, Math.max(from, piece.begin), Math.min(piece.end, toOffset))) {
      add(chunk.subarray(Math.max(0, chunk.length - room)));
      if (newlines > lines || room <= 0) return linesOf(chunks, lines);
    }
    reached = piece.begin;
  }
  // The rest of a line whose beginning was thrown away with an older file is none.
  const isHeadless = reached === log.begin && from < reached && log.torn.has(reached);
  return linesOf(chunks, lines, isHeadless);
}

/** 0 is the beginning of everything, also of what was rotated before anybody counted. */
function beginningIn(log: LogPieces, fromOffset: number): number {
  if (fromOffset <= 0) return Number.NEGATIVE_INFINITY;
  // What lies beyond the end was said of a file that is gone: all that came in its place is younger.
  return fromOffset > log.end ? (log.pieces.at(-1)?.begin ?? 0) : fromOffset;
}

function* backwards(piece: LogPiece, from: number, to: number): Generator<Buffer> {
  for (let position = to; position > from; ) {
    const length = Math.min(chunkBytes, position - from);
    const chunk = Buffer.alloc(length);
    const read = readPiece(piece, chunk, length, position - length);
    yield chunk.subarray(0, read);
    position -= length;
  }
}

function endsLine(piece: LogPiece): boolean {
  const last = Buffer.alloc(1);
  return piece.end === piece.begin || readPiece(piece, last, 1, piece.end - 1) === 0 || last[0] === newline;
}

function linesOf(chunks: readonly Buffer[], lines: number, isHeadless = false): readonly string[] {
  // A line of a Windows program ends in two characters.
  const all = Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
  if (all.at(-1) === '') all.pop();
  if (isHeadless) all.shift();
  return all.slice(-lines);
}

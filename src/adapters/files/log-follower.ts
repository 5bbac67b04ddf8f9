import { closeSync, fstatSync, lstatSync, readSync, type Stats } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { isSameLook, type LogLook, LogPieces, lookAt, openRegular, readPiece } from './log-pieces.js';
import { type LogMapping, mapLog } from './log-state.js';

const chunkBytes = 64 * 1024;
/** The most that one call gives back: a daemon may write faster than anybody reads. */
const largestReadBytes = 1024 * 1024;
/** How often one read is done again because the log was cut meanwhile. */
const mostReadings = 100;
const newline = 0x0a;
const nothing = Buffer.alloc(0);

/**
 * Reads on in a log, over cuts, rotation, truncation and restart. A file that was renamed is read to its end before the next
 * one is begun, and what was cut out is read where it stands now, so that no byte is lost or comes twice.
 */
export class LogFollower {
  private fd: number | undefined;
  private file: { readonly ino: number; readonly dev: number } | undefined;
  private mapping: LogMapping = { base: 0, begin: 0 };
  private position: number;
  private decoder = new StringDecoder('utf8');
  private lastByte: number | undefined;
  /** In a line whose beginning is gone. */
  private isHeadless = false;

  /** Begins at the end of what is there, or at an offset; at the oldest line there is where that one is gone. */
  constructor(
    private readonly path: string,
    offset: number | 'oldest' | 'end',
  ) {
    this.position = typeof offset === 'number' ? offset : Number.NEGATIVE_INFINITY;
    this.open();
    if (offset === 'end') this.position = this.end ?? 0;
  }

  /** Where it has got to, counted over all that was ever written to the log. */
  get offset(): number {
    return Math.max(0, this.position);
  }

  /** Whether what it reads next begins a line. */
  get isAtLineStart(): boolean {
    if (this.fd === undefined) return true;
    const before = Buffer.alloc(1);
    const at = this.position - 1 - this.mapping.base;
    return at < this.mapping.begin || readSync(this.fd, before, 0, 1, at) === 0 || before[0] === newline;
  }

  /** What was written since the last call, or its beginning. Empty where there is nothing more. */
  read(): string {
    return this.decoder.write(this.readBytes());
  }

  /** The same, as bytes. */
  readBytes(most = largestReadBytes): Buffer {
    if (this.fd === undefined) this.goOn();
    const bytes = this.readOn(most);
    if (bytes.length > 0 || !this.isReplaced()) return bytes;
    // Once more: it may have grown between the last read and the rotation.
    const rest = this.readOn(most);
    this.close();
    this.goOn();
    return Buffer.concat([rest, this.readOn(most)]);
  }

  /** Holds no file open until the next read. */
  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private open(): void {
    const opened = openQuietly(this.path);
    if (!opened) return;
    this.fd = opened.fd;
    this.file = opened.stat;
    this.mapping = this.map(opened.fd).mapping ?? this.mapping;
  }

  /** With the file that is there now. */
  private goOn(): void {
    const before = this.file;
    this.open();
    if (this.fd === undefined || (before?.ino === this.file?.ino && before?.dev === this.file?.dev)) return;
    const first = this.mapping.base + this.mapping.begin;
    // Where the log goes on counting, what lies between was rotated meanwhile, and is read where it is.
    const isContinued = before !== undefined && first > 0 && this.position <= first;
    if (isContinued) return;
    this.position = first;
    this.decoder = new StringDecoder('utf8');
  }

  private get end(): number | undefined {
    if (this.fd === undefined) return undefined;
    return this.mapping.base + fstatSync(this.fd).size;
  }

  private readOn(most: number): Buffer {
    const chunks: Buffer[] = [];
    for (let length = 0; length < most; ) {
      const chunk = this.readChunk();
      if (chunk.length === 0) break;
      length += chunk.length;
      chunks.push(chunk);
    }
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }

  /** Nothing only at the end: what is skipped is not given back, and reading goes on. */
  private readChunk(): Buffer {
    for (;;) {
      const read = this.readNext();
      if (read.length === 0 || !this.isHeadless) return read;
      const end = read.indexOf(newline);
      if (end < 0) continue;
      this.isHeadless = false;
      if (end + 1 < read.length) return read.subarray(end + 1);
    }
  }

  private readNext(): Buffer {
    if (this.fd === undefined) return nothing;
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let readings = 1; ; readings++) {
      const { look, mapping } = this.map(this.fd);
      // Another is the log by now, and all of this one is rotated.
      if (!mapping) return nothing;
      this.mapping = mapping;
      const first = mapping.base + mapping.begin;
      // It was made shorter by somebody who kept no count.
      if (this.position > mapping.base + look.stat.size) this.position = first;
      if (this.position < first) {
        const older = this.readOlder(first);
        if (older) return older;
        continue;
      }
      const length = readSync(this.fd, chunk, 0, chunkBytes, this.position - mapping.base);
      // Between the two looks nothing was moved, so this is what stood there.
      if (readings < mostReadings && !isSameLook(look, lookAt(this.path, this.fd))) continue;
      return this.advance(chunk.subarray(0, length));
    }
  }

  /** From where it was rotated to. `undefined` where that is gone too, and the position is moved to what is left. */
  private readOlder(first: number): Buffer | undefined {
    const log = openPieces(this.path);
    try {
      const piece = log?.pieces.findLast(({ begin, end }) => begin <= this.position && this.position < end);
      if (piece && piece !== log?.pieces.at(-1)) {
        const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, piece.end - this.position));
        const length = readPiece(piece, chunk, chunk.length, this.position);
        if (length > 0) return this.advance(chunk.subarray(0, length));
        this.position = piece.end;
        return undefined;
      }
      // What was lost takes the end of a line with it: the next one does not go on with it.
      if (!this.isHeadless && this.lastByte !== undefined && this.lastByte !== newline) {
        this.lastByte = newline;
        return Buffer.from('\n');
      }
      const oldest = log?.pieces.find(({ begin }) => begin > this.position)?.begin;
      this.position = oldest === undefined || oldest > first ? first : oldest;
      this.isHeadless = log?.torn.has(this.position) ?? false;
      return undefined;
    } finally {
      log?.close();
    }
  }

  private advance(read: Buffer): Buffer {
    this.position += read.length;
    this.lastByte = read.at(-1) ?? this.lastByte;
    return read;
  }

  /** Where the bytes of the open file stand; `undefined` where that is said of another file by now, and not of this one. */
  private map(fd: number): { readonly look: LogLook; readonly mapping: LogMapping | undefined } {
    const look = lookAt(this.path, fd);
    const { state, stat, isMarked } = look;
    if (state?.file !== stat.ino && state?.before?.file === stat.ino) return { look, mapping: { base: state.before.base, begin: 0 } };
    if (state?.file === stat.ino || this.isNamed(stat)) return { look, mapping: mapLog(state, stat, isMarked) };
    // Nobody keeps count: as it was.
    return { look, mapping: state ? undefined : this.mapping };
  }

  private isNamed({ ino, dev }: Stats): boolean {
    const named = look(this.path);
    return named?.ino === ino && named.dev === dev;
  }

  private isReplaced(): boolean {
    const named = look(this.path);
    if (!named) return false;
    return this.fd !== undefined && (named.ino !== this.file?.ino || named.dev !== this.file.dev);
  }
}

function openQuietly(path: string) {
  try {
    return openRegular(path);
  } catch {
    // Nothing that is ours to read; there may be at the next look.
    return undefined;
  }
}

function openPieces(path: string): LogPieces | undefined {
  try {
    return LogPieces.open(path);
  } catch {
    return undefined;
  }
}

/** Only a regular file: whatever else came in the place of a log is not what the log was replaced by. */
function look(path: string): Stats | undefined {
  try {
    const named = lstatSync(path, { throwIfNoEntry: false });
    return named?.isFile() ? named : undefined;
  } catch {
    return undefined;
  }
}

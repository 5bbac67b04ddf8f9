import { LogFollower } from './log-follower.js';

export interface LogLine {
  /** Where it begins, counted over all that was ever written to the log. */
  readonly offset: number;
  readonly text: string;
}

/** A line without an end must not take all memory: it is given back in parts of this size. */
const longestLineBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/** Reads on in a log, line by line. */
export class LogLines {
  private readonly log: LogFollower;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private heldOffset = 0;

  constructor(path: string, offset: number | 'oldest' | 'end') {
    this.log = new LogFollower(path, offset);
  }

  /** How far it has read. */
  get offset(): number {
    return this.log.offset;
  }

  /** The lines that were ended since the last call, or the first of them; `undefined` where nothing more was written. */
  read(): readonly LogLine[] | undefined {
    const bytes = this.log.readBytes();
    if (bytes.length === 0) return undefined;
    const begin = this.log.offset - bytes.length;
    // What was lost, or another file: its lines do not go on with the one before.
    const lines = this.heldBytes > 0 && begin !== this.heldOffset + this.heldBytes ? this.rest() : [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      this.hold(bytes.subarray(start, end), begin + start);
      lines.push(this.release());
      start = end + 1;
    }
    this.hold(bytes.subarray(start), begin + start);
    if (this.heldBytes > longestLineBytes) lines.push(this.release());
    return lines;
  }

  /** What has no end yet. */
  rest(): LogLine[] {
    return this.heldBytes === 0 ? [] : [this.release()];
  }

  close(): void {
    this.log.close();
  }

  private hold(part: Buffer, offset: number): void {
    if (this.heldBytes === 0) this.heldOffset = offset;
    if (part.length === 0) return;
    this.held.push(part);
    this.heldBytes += part.length;
  }

  private release(): LogLine {
    const line = { offset: this.heldOffset, text: Buffer.concat(this.held).toString('utf8') };
    this.held = [];
    this.heldBytes = 0;
    return line;
  }
}

const newline = 0x0a;
/** A peer that sends byte by byte would else cost a hundred times the bytes that it sends. */
const maxParts = 256;

/** The longest message, without its newline. */
export const maxLineBytes = 1024 * 1024;

/**
 * Cuts a stream of bytes into lines. A line is decoded only once it is whole, so that a character cut in two by the
 * transport stays one; what has not yet ended is held, up to the bound.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #heldBytes = 0;

  constructor(maxBytes = maxLineBytes) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk ends, without their newlines. `overflow`: a line is longer than the bound, and none follows. */
  *push(chunk: Buffer): Generator<Buffer | 'overflow', void> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      if (!this.#hold(chunk.subarray(start, end))) return yield 'overflow';
      start = end + 1;
      yield this.#release();
    }
    if (!this.#hold(chunk.subarray(start))) yield 'overflow';
  }

  #hold(part: Buffer): boolean {
    this.#heldBytes += part.length;
    if (this.#heldBytes > this.#maxBytes) {
      this.#parts = [];
      return false;
    }
    if (part.length > 0) this.#parts.push(part);
    if (this.#parts.length > maxParts) this.#parts = [Buffer.concat(this.#parts)];
    return true;
  }

  #release(): Buffer {
    const line = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#heldBytes = 0;
    return line;
  }
}

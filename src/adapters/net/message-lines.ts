const newline = 0x0a;
const nothing = Buffer.alloc(0);
const smallestHoldBytes = 1_024;

/** The longest message, without its newline. */
export const maxLineBytes = 1024 * 1024;

/**
 * Cuts a stream of bytes into lines. A line is decoded only once it is whole, so that a character cut in two by the
 * transport stays one; what has not yet ended is held, up to the bound.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  /** Grows by doubling: a peer that sends byte by byte must not have its line copied for each of them. */
  #held = nothing;
  #heldBytes = 0;
  #overflown = false;
  #chunk: Buffer = nothing;
  #start = 0;

  constructor(maxBytes = maxLineBytes) {
    this.#maxBytes = maxBytes;
  }

  /** Takes one more chunk, once all lines of the last one were taken out. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#start = 0;
  }

  /** The next line that the chunk ends, without its newline, good until the next chunk. `overflow`: a line is longer than the bound, and none follows. */
  next(): Buffer | 'overflow' | undefined {
    const chunk = this.#chunk;
    const start = this.#start;
    if (start === chunk.length || this.#overflown) {
      // Not kept: a connection that is idle would hold as much.
      this.#chunk = nothing;
      this.#start = 0;
      return undefined;
    }
    const end = chunk.indexOf(newline, start);
    const part = chunk.subarray(start, end < 0 ? chunk.length : end);
    this.#start = end < 0 ? chunk.length : end + 1;
    if (this.#heldBytes + part.length > this.#maxBytes) {
      this.#overflown = true;
      this.#held = nothing;
      return 'overflow';
    }
    if (end >= 0) return this.#release(part);
    this.#hold(part);
    return undefined;
  }

  /** A copy, however short: a part would keep the whole of its chunk in memory. */
  #hold(part: Buffer): void {
    const neededBytes = this.#heldBytes + part.length;
    if (neededBytes > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(2 * neededBytes, smallestHoldBytes)));
      this.#held.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    part.copy(this.#held, this.#heldBytes);
    this.#heldBytes = neededBytes;
  }

  #release(part: Buffer): Buffer {
    if (this.#heldBytes === 0) return part;
    this.#hold(part);
    const line = this.#held.subarray(0, this.#heldBytes);
    // Not kept for the next one: a connection that once had a long line would stay as large.
    this.#held = nothing;
    this.#heldBytes = 0;
    return line;
  }
}

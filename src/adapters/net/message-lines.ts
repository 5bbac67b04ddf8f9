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

  constructor(maxBytes = maxLineBytes) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk ends, without their newlines, good until the next. `overflow`: a line is longer than the bound, and none follows. */
  *push(chunk: Buffer): Generator<Buffer | 'overflow', void> {
    let start = 0;
    while (!this.#overflown) {
      const end = chunk.indexOf(newline, start);
      const part = chunk.subarray(start, end < 0 ? chunk.length : end);
      if (this.#heldBytes + part.length > this.#maxBytes) {
        this.#overflown = true;
        this.#held = nothing;
        yield 'overflow';
        return;
      }
      if (end < 0) {
        this.#hold(part);
        return;
      }
      yield this.#release(part);
      start = end + 1;
    }
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

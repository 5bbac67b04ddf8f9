import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';

const chunkBytes = 64 * 1024;
/** The most that one call gives back: a daemon may write faster than anybody reads. */
const largestReadBytes = 1024 * 1024;

/**
 * Reads on in a log, over rotation, truncation and restart. A rotated file is read to its end before the new one is
 * begun, so that no line is lost between them.
 */
export class LogFollower {
  private fd: number | undefined;
  private position = 0;
  private decoder = new StringDecoder('utf8');

  /** Begins at the end of what is there, or at `offset`. */
  constructor(
    private readonly path: string,
    offset: number | 'end',
  ) {
    this.open();
    if (this.fd !== undefined) this.position = offset === 'end' ? fstatSync(this.fd).size : offset;
  }

  /** Where it has got to. */
  get offset(): number {
    return this.position;
  }

  /** Whether what it reads next begins a line. */
  get isAtLineStart(): boolean {
    const before = Buffer.alloc(1);
    return this.fd === undefined || this.position === 0 || readSync(this.fd, before, 0, 1, this.position - 1) === 0 || before[0] === 0x0a;
  }

  /** What was written since the last call, or its beginning. Empty where there is nothing more. */
  read(): string {
    let text = this.readOn();
    if (text === '' && this.isReplaced()) {
      // Once more: it may have grown between the last read and the rotation.
      text += this.readOn();
      this.close();
      this.open();
      text += this.readOn();
    }
    return text;
  }

  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }

  private open(): void {
    this.fd = openLog(this.path);
    this.position = 0;
    this.decoder = new StringDecoder('utf8');
  }

  private readOn(): string {
    if (this.fd === undefined) return '';
    if (fstatSync(this.fd).size < this.position) this.position = 0;
    let text = '';
    const chunk = Buffer.alloc(chunkBytes);
    while (text.length < largestReadBytes) {
      const length = readSync(this.fd, chunk, 0, chunkBytes, this.position);
      if (length === 0) return text;
      this.position += length;
      text += this.decoder.write(chunk.subarray(0, length));
    }
    return text;
  }

  private isReplaced(): boolean {
    const named = look(this.path);
    if (!named) return false;
    if (this.fd === undefined) return true;
    const open = fstatSync(this.fd);
    return named.ino !== open.ino || named.dev !== open.dev;
  }
}

/** `undefined` where there is no regular file, which alone has a beginning and an end: a pipe or a device is no log that could be followed. */
function openLog(path: string): number | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
  } catch {
    // Nothing there that is ours to read; there may be at the next look.
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
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

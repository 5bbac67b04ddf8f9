import { fstatSync, writeSync } from 'node:fs';
import { blockThread } from '../../adapters/block-thread.js';
import { DaemonError } from '../../domain/daemon-error.js';

const stdout = 1;
const stderr = 2;
const codes = {
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

export type Colour = keyof typeof codes;

/** Standard streams, written by descriptor: setting up `process.stdout` costs a tenth of a `status`. */
export const terminal = {
  /** False when the reader is gone, which is no error: whoever piped us into `head` has seen enough. Throws `unwritable`. */
  out: (text: string): boolean => {
    const errno = write(stdout, text);
    if (errno === undefined || errno === 'EPIPE') return errno === undefined;
    throw new DaemonError('unwritable', `can't write to the standard output: ${errno}`, { stream: 'stdout', errno });
  },
  /** Whoever can't be told can't be told that, either. */
  err: (text: string): void => void write(stderr, text),
  paint: (fd: 1 | 2, colour: Colour, text: string) =>
    hasColour(fd) ? `\u001b[${codes[colour][0]}m${text}\u001b[${codes[colour][1]}m` : text,
  hasColour,
};

function hasColour(fd: 1 | 2): boolean {
  // https://no-color.org, and https://bixense.com/clicolors for the other way
  if (process.env.NO_COLOR) return false;
  if (process.env.FORCE_COLOR && process.env.FORCE_COLOR !== '0') return true;
  return process.env.TERM !== 'dumb' && isTerminal(fd);
}

/** Asks `node:tty`, which loads half of the network stack, only where a terminal is possible. */
export function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(fd);
  } catch {
    return false;
  }
}

/** Returns what it failed with. */
function write(fd: number, text: string): string | undefined {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code = 'EIO' } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return code;
      // Somebody made this pipe non-blocking, and it is full.
      blockThread(1);
    }
  }
  return undefined;
}

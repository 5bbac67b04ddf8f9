import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { koffiPackage, loadKoffi } from '../koffi.js';
import { requireHere } from '../require-here.js';

/** `LOCK_EX | LOCK_NB` of `<sys/file.h>`. */
const exclusiveNow = 2 | 4;
/** Where a program's headers are, and mostly the name of its dynamic loader right behind them. */
const headBytes = 4096;
const othersMayWrite = 0o002;

type FlockCall = (fd: number, operation: number) => number;

let flock: FlockCall | undefined;

/**
 * flock(2) by a call into the C library, in a fifth of the time of a helper process. False where somebody else holds the lock, and
 * where there is no calling: koffi is not installed, or this Node loads no native code.
 */
export function flockNow(fd: number): boolean {
  flock ??= findFlockCall();
  return flock(fd, exclusiveNow) === 0;
}

function findFlockCall(): FlockCall {
  try {
    const path = requireHere().resolve(`${koffiPackage('linux')}/${libc()}_${process.arch}/koffi.node`);
    if (isSound(path)) return loadKoffi(path).load(null).func('int flock(int fd, int operation)') as FlockCall;
  } catch {
    // The helper does as well.
  }
  return () => -1;
}

/** Of its two binaries, the one for this Node's C library. The package's own entry asks the same, and takes longer than all the rest. */
function libc(): 'linux' | 'musl' {
  return headOf(process.execPath).bytes.includes('/ld-musl-') ? 'musl' : 'linux';
}

/**
 * Whether it is ours or root's, since where our own package has none, whatever stands in a folder further up is found; and whole, since
 * one that an interrupted installation has cut off would end this process with SIGBUS.
 */
function isSound(path: string): boolean {
  const { bytes, stat } = headOf(path);
  if (![0, process.geteuid?.()].includes(stat.uid) || (stat.mode & othersMayWrite) !== 0) return false;
  // `e_shoff`, `e_shentsize` and `e_shnum` of a 64-bit ELF header: its section headers come last.
  return Number(bytes.readBigUInt64LE(0x28)) + bytes.readUInt16LE(0x3a) * bytes.readUInt16LE(0x3c) <= stat.size;
}

function headOf(path: string) {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(headBytes);
    readSync(fd, bytes, 0, headBytes, 0);
    return { bytes, stat: fstatSync(fd) };
  } finally {
    closeSync(fd);
  }
}

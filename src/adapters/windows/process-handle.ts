import { parseEnvironmentBlock } from './environment.js';
import type { Handle, Kernel } from './kernel.js';

export const access = { terminate: 0x0001, readMemory: 0x0010, queryAll: 0x0400, queryLimited: 0x1000, synchronize: 0x10_0000 };

/** The handle that means this very process. */
export const ownProcess = -1;

const errorInvalidParameter = 87;
const waitObject = 0;

/** `absent`: nobody has this pid. `denied`: it can't be opened, for whatever reason, which is no proof of anybody's end. */
export type Opened<T> = { readonly kind: 'opened'; readonly value: T } | { readonly kind: 'absent' | 'denied' };

/** An open handle keeps the pid from being given to another: what is asked of one and the same handle is about one process. */
export function withProcess<T>(kernel: Kernel, pid: number, rights: number, use: (process: Handle) => T): Opened<T> {
  const process = kernel.OpenProcess(rights, 0, pid);
  if (process === 0) return { kind: kernel.GetLastError() === errorInvalidParameter ? 'absent' : 'denied' };
  try {
    return { kind: 'opened', value: use(process) };
  } finally {
    kernel.CloseHandle(process);
  }
}

/** Needs `synchronize`. A process that has ended stays there for as long as anybody holds a handle to it. */
export function hasEnded(kernel: Kernel, process: Handle): boolean {
  return kernel.WaitForSingleObject(process, 0) === waitObject;
}

export interface ProcessTimes {
  /** In 100 ns since 1601. */
  readonly created: bigint;
  /** In 100 ns of processor time. */
  readonly used: bigint;
}

export function timesOf(kernel: Kernel, process: Handle): ProcessTimes | undefined {
  const [created, ended, inKernel, inUser] = [bytes(8), bytes(8), bytes(8), bytes(8)];
  if (!kernel.GetProcessTimes(process, created, ended, inKernel, inUser)) return undefined;
  return { created: created.readBigUInt64LE(), used: inKernel.readBigUInt64LE() + inUser.readBigUInt64LE() };
}

export function exitCodeOf(kernel: Kernel, process: Handle): number | undefined {
  const code = bytes(4);
  return kernel.GetExitCodeProcess(process, code) ? code.readUInt32LE() : undefined;
}

/** The user that a process runs as, in the letters and numbers of a SID. Needs `queryLimited`. */
export function userOf(kernel: Kernel, process: Handle): string | undefined {
  const tokenQuery = 0x0008;
  const tokenUser = 1;
  const token = bytes(8);
  if (!kernel.OpenProcessToken(process, tokenQuery, token)) return undefined;
  const opened = Number(token.readBigInt64LE());
  try {
    const user = bytes(256);
    if (!kernel.GetTokenInformation(opened, tokenUser, user, user.length, bytes(4))) return undefined;
    // A pointer and its attributes, then what is pointed to.
    return sidText(user.subarray(16));
  } finally {
    kernel.CloseHandle(opened);
  }
}

export function sidText(sid: Buffer): string {
  const parts = Array.from({ length: sid.readUInt8(1) }, (_, index) => sid.readUInt32LE(8 + 4 * index));
  return ['S', sid.readUInt8(0), sid.readUIntBE(2, 6), ...parts].join('-');
}

/** PEB and RTL_USER_PROCESS_PARAMETERS, of 64 bits: the same since Windows Vista, and read by every process viewer. */
const at = { pebOfBasic: 8, loaderOfPeb: 0x18, parametersOfPeb: 0x20, environment: 0x80, environmentBytes: 0x3f0 };
const mostEnvironmentBytes = 1024 * 1024;

/** Whether its first thread has begun: the loader's data are there from then on. Needs `queryLimited` and `readMemory`. */
export function hasBegun(kernel: Kernel, process: Handle): boolean {
  const peb = readPeb(kernel, process);
  return peb !== undefined && peb.readBigUInt64LE(at.loaderOfPeb) !== 0n;
}

/** The environment that a process was started with. Needs `queryLimited` and `readMemory`. */
export function environmentOf(kernel: Kernel, process: Handle): ReadonlyMap<string, string> | undefined {
  const parameters = readPeb(kernel, process)?.readBigUInt64LE(at.parametersOfPeb);
  const head = parameters ? readMemory(kernel, process, parameters, at.environmentBytes + 8) : undefined;
  if (!head) return undefined;
  const length = Number(head.readBigUInt64LE(at.environmentBytes));
  if (length <= 0 || length > mostEnvironmentBytes) return undefined;
  const block = readMemory(kernel, process, head.readBigUInt64LE(at.environment), length);
  return block && parseEnvironmentBlock(block);
}

function readPeb(kernel: Kernel, process: Handle): Buffer | undefined {
  const basic = bytes(48);
  if (kernel.NtQueryInformationProcess(process, 0, basic, 48, bytes(4)) !== 0) return undefined;
  return readMemory(kernel, process, basic.readBigUInt64LE(at.pebOfBasic), at.parametersOfPeb + 8);
}

function readMemory(kernel: Kernel, process: Handle, from: bigint, length: number): Buffer | undefined {
  const into = bytes(length);
  if (from === 0n || !kernel.ReadProcessMemory(process, from, into, length, bytes(8))) return undefined;
  return into;
}

/** Never so small that V8 would keep it where it moves things. */
export function bytes(length: number): Buffer {
  return Buffer.alloc(Math.max(length, 128)).subarray(0, length);
}

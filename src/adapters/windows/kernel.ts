import { DaemonError } from '../../domain/daemon-error.js';
import { type Koffi, koffiPackage, loadKoffi } from '../koffi.js';

/** As Windows gives it; never 0. */
export type Handle = number;

type Bytes = Buffer | null;

/** The functions of Windows that are used here, under their own names. Structures are bytes, since all of them are small. */
export interface Kernel {
  GetLastError(): number;
  OpenProcess(access: number, inherit: number, pid: number): Handle;
  CloseHandle(handle: Handle): number;
  WaitForSingleObject(handle: Handle, timeoutMs: number): number;
  GetProcessTimes(process: Handle, creation: Bytes, exit: Bytes, kernel: Bytes, user: Bytes): number;
  GetExitCodeProcess(process: Handle, code: Bytes): number;
  TerminateProcess(process: Handle, code: number): number;
  ReadProcessMemory(process: Handle, at: bigint, into: Bytes, length: number, read: Bytes): number;
  CreateFileW(name: string, access: number, share: number, security: Bytes, disposition: number, flags: number, template: number): Handle;
  CreateProcessW(
    application: string,
    line: Bytes,
    processSecurity: Bytes,
    threadSecurity: Bytes,
    inherit: number,
    flags: number,
    environment: Bytes,
    folder: string | null,
    startup: Bytes,
    information: Bytes,
  ): number;
  InitializeProcThreadAttributeList(list: bigint, count: number, flags: number, size: Bytes): number;
  UpdateProcThreadAttribute(
    list: bigint,
    flags: number,
    attribute: number,
    value: bigint,
    size: number,
    previous: number,
    back: number,
  ): number;
  DeleteProcThreadAttributeList(list: bigint): void;
  LocalAlloc(flags: number, bytes: number): bigint | number;
  LocalFree(at: bigint): number;
  RtlMoveMemory(to: bigint, from: Bytes, bytes: number): void;
  CreateJobObjectW(security: number, name: number): Handle;
  SetInformationJobObject(job: Handle, what: number, value: Bytes, bytes: number): number;
  IsProcessInJob(process: Handle, job: Handle, answer: Bytes): number;
  ResumeThread(thread: Handle): number;
  OpenProcessToken(process: Handle, access: number, token: Bytes): number;
  GetTokenInformation(token: Handle, what: number, into: Bytes, bytes: number, needed: Bytes): number;
  RegGetValueW(key: number, path: string, name: string, flags: number, type: Bytes, into: Bytes, bytes: Bytes): number;
  NtQuerySystemInformation(what: number, into: Bytes, bytes: number, needed: Bytes): number;
  NtQueryInformationProcess(process: Handle, what: number, into: Bytes, bytes: number, needed: Bytes): number;
}

const signatures: Readonly<Record<string, readonly string[]>> = {
  'kernel32.dll': [
    'uint32 GetLastError()',
    'intptr OpenProcess(uint32 access, int inherit, uint32 pid)',
    'int CloseHandle(intptr handle)',
    'uint32 WaitForSingleObject(intptr handle, uint32 timeout)',
    'int GetProcessTimes(intptr process, void *creation, void *exit, void *kernel, void *user)',
    'int GetExitCodeProcess(intptr process, void *code)',
    'int TerminateProcess(intptr process, uint32 code)',
    'int ReadProcessMemory(intptr process, uint64 at, void *into, uint64 length, void *read)',
    'intptr CreateFileW(str16 name, uint32 access, uint32 share, void *security, uint32 disposition, uint32 flags, intptr template)',
    'int CreateProcessW(str16 application, void *line, void *ps, void *ts, int inherit, uint32 flags, void *env, str16 folder, void *startup, void *information)',
    'int InitializeProcThreadAttributeList(uint64 list, uint32 count, uint32 flags, void *size)',
    'int UpdateProcThreadAttribute(uint64 list, uint32 flags, uint64 attribute, uint64 value, uint64 size, intptr previous, intptr back)',
    'void DeleteProcThreadAttributeList(uint64 list)',
    'uint64 LocalAlloc(uint32 flags, uint64 bytes)',
    'intptr LocalFree(uint64 at)',
    'void RtlMoveMemory(uint64 to, void *from, uint64 bytes)',
    'intptr CreateJobObjectW(intptr security, intptr name)',
    'int SetInformationJobObject(intptr job, int what, void *value, uint32 bytes)',
    'int IsProcessInJob(intptr process, intptr job, void *answer)',
    'uint32 ResumeThread(intptr thread)',
  ],
  'advapi32.dll': [
    'int OpenProcessToken(intptr process, uint32 access, void *token)',
    'int GetTokenInformation(intptr token, int what, void *into, uint32 bytes, void *needed)',
    'int RegGetValueW(intptr key, str16 path, str16 name, uint32 flags, void *type, void *into, void *bytes)',
  ],
  'ntdll.dll': [
    'int NtQuerySystemInformation(int what, void *into, uint32 bytes, void *needed)',
    'int NtQueryInformationProcess(intptr process, int what, void *into, uint32 bytes, void *needed)',
  ],
};

let loaded: Kernel | undefined;

/**
 * Loads koffi, which Windows can't do without. Throws `unsupported` where it can't be had: without it a process can't be
 * told from its successor under the same pid, and nothing here goes by a pid alone.
 */
export function loadKernel(): Kernel {
  loaded ??= bindAll();
  return loaded;
}

function bindAll(): Kernel {
  // Every layout here is that of 64 bits.
  if (!['x64', 'arm64'].includes(process.arch))
    throw new DaemonError('unsupported', `Windows on ${process.arch} is not supported`, { platform: 'win32', arch: process.arch });
  const koffi = insistOnKoffi();
  const functions: Record<string, unknown> = {};
  for (const [file, ofFile] of Object.entries(signatures)) {
    const library = koffi.load(file);
    for (const signature of ofFile) {
      const name = /(\w+)\(/.exec(signature)?.[1] as string;
      functions[name] = library.func(signature.replace(name, `__stdcall ${name}`));
    }
  }
  return functions as unknown as Kernel;
}

function insistOnKoffi(): Koffi {
  const name = koffiPackage('win32');
  try {
    return loadKoffi(name);
  } catch (error) {
    const message = `the optional package ${name}, which daemonry needs on Windows, can't be loaded`;
    throw new DaemonError('unsupported', message, { platform: 'win32', arch: process.arch }, error);
  }
}

import type { Kernel } from './kernel.js';
import { bytes, ownProcess } from './process-handle.js';

/** One entry of the kernel's own list, which shows everybody's processes to everybody. */
export interface TableEntry {
  readonly pid: number;
  readonly parent: number;
  /** When it was created, in 100 ns since 1601: kept by the kernel, and never changed when somebody sets the clock. */
  readonly created: bigint;
  readonly memoryBytes: number;
  /** Stands behind the console of other processes, as their child, and ends with the last of them. */
  readonly isConsoleHost: boolean;
}

type ReadText = (address: bigint, length: number) => string;

const systemProcessInformation = 5;
const infoLengthMismatch = 0xc000_0004 | 0;
const firstBytes = 256 * 1024;
const mostBytes = 64 * 1024 * 1024;

/** SYSTEM_PROCESS_INFORMATION, of 64 bits. */
const at = { next: 0x00, created: 0x20, pid: 0x50, parent: 0x58, memory: 0x90, nameBytes: 0x38, name: 0x40 };
const entryBytes = 0x100;

export function readProcessTable(kernel: Kernel): readonly TableEntry[] {
  const needed = Buffer.alloc(128);
  for (let size = firstBytes; size <= mostBytes; size *= 2) {
    const table = Buffer.alloc(size);
    const status = kernel.NtQuerySystemInformation(systemProcessInformation, table, size, needed);
    if (status === 0) return parseProcessTable(table, (address, length) => textAt(kernel, address, length));
    if (status !== infoLengthMismatch) throw new Error(`NtQuerySystemInformation failed: 0x${(status >>> 0).toString(16)}`);
  }
  throw new Error('the list of processes is too long');
}

export function parseProcessTable(table: Buffer, readText: ReadText): readonly TableEntry[] {
  const entries: TableEntry[] = [];
  for (let start = 0; start + entryBytes <= table.length; ) {
    entries.push({
      pid: Number(table.readBigUInt64LE(start + at.pid)),
      parent: Number(table.readBigUInt64LE(start + at.parent)),
      created: table.readBigUInt64LE(start + at.created),
      memoryBytes: Number(table.readBigUInt64LE(start + at.memory)),
      isConsoleHost: isConsoleHost(readText(table.readBigUInt64LE(start + at.name), table.readUInt16LE(start + at.nameBytes))),
    });
    const next = table.readUInt32LE(start + at.next);
    if (next === 0) break;
    start += next;
  }
  return entries;
}

function isConsoleHost(name: string): boolean {
  return name.toLowerCase() === 'conhost.exe';
}

/** The names are in the list itself, and are pointed to. */
function textAt(kernel: Kernel, address: bigint, length: number): string {
  const text = bytes(length);
  const isRead = length > 0 && kernel.ReadProcessMemory(ownProcess, address, text, length, bytes(8));
  return isRead ? text.toString('utf16le') : '';
}

/** A parent's pid is only a number, which may be another's by now: the parent is who was there when the child was made. */
export function parentOf(entry: TableEntry, table: ReadonlyMap<number, TableEntry>): TableEntry | undefined {
  const parent = table.get(entry.parent);
  return parent && parent.pid !== entry.pid && parent.created <= entry.created ? parent : undefined;
}

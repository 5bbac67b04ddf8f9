import { hostname } from 'node:os';
import type { Kernel } from './kernel.js';
import { bytes, ownProcess } from './process-handle.js';

/**
 * The number of this boot, which the boot loader counts up and the kernel shows to every process at this address. Not the
 * time of the boot: that is reckoned from the wall clock. It is 0 under Wine, where nothing boots; that costs nothing,
 * since a start token is an instant and not a time since boot, and so is another one after a reboot.
 * https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/ns-ntddk-kuser_shared_data
 */
const bootIdAddress = 0x7ffe_02c4n;

export function readBootId(kernel: Kernel): string {
  const number = bytes(4);
  kernel.ReadProcessMemory(ownProcess, bootIdAddress, number, 4, bytes(8));
  return `boot-${number.readUInt32LE()}`;
}

/** The id that Windows gave to this installation, else the name of the machine. */
export function readMachineId(kernel: Kernel): string {
  const localMachine = 0x8000_0002 | 0;
  const [ofText, of64Bits] = [0x2, 0x1_0000];
  const text = bytes(256);
  const length = bytes(4);
  length.writeUInt32LE(text.length);
  const path = 'SOFTWARE\\Microsoft\\Cryptography';
  const status = kernel.RegGetValueW(localMachine, path, 'MachineGuid', ofText | of64Bits, bytes(4), text, length);
  const id = status === 0 ? text.toString('utf16le', 0, length.readUInt32LE()).replaceAll('\0', '') : '';
  return id || hostname();
}

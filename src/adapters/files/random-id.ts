import { closeSync, openSync, readSync } from 'node:fs';

const idBytes = 16;
/** A start takes eight of them. */
const idsPerRead = 16;

let pool: Buffer = Buffer.alloc(0);

/** A random UUID (version 4), of the kernel's bytes where it gives them away as a file: loading `node:crypto` takes 5 ms of a start. */
export function randomId(): string {
  try {
    if (pool.length < idBytes) pool = kernelBytes(idBytes * idsPerRead);
  } catch {
    return process.getBuiltinModule('node:crypto').randomUUID();
  }
  const bytes = pool.subarray(0, idBytes);
  pool = pool.subarray(idBytes);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function kernelBytes(count: number): Buffer {
  const bytes = Buffer.alloc(count);
  const fd = openSync('/dev/urandom', 'r');
  try {
    if (readSync(fd, bytes, 0, count, null) < count) throw new Error('no random bytes');
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/** The beginning of an instance id, enough to tell the files of one home apart. */
export function shortId(instanceId: string): string {
  return instanceId.replaceAll('-', '').slice(0, 12);
}

import { readFileSync } from 'node:fs';

/** A random UUID from the kernel where it gives them away as a file: loading `node:crypto` takes 5 ms of a start. */
export function randomId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim();
  } catch {
    return process.getBuiltinModule('node:crypto').randomUUID();
  }
}

/** The beginning of an instance id, enough to tell the files of one home apart. */
export function shortId(instanceId: string): string {
  return instanceId.replaceAll('-', '').slice(0, 12);
}

import { readdirSync, readFileSync } from 'node:fs';

/** `O_CLOEXEC` as `/proc` shows it, in octal. */
const closeOnExec = 0o2000000;

/** Descriptors of this process above 2 that survive an `exec`: whoever started us left them open. Node's own do not. */
export function strayDescriptors(): readonly number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => fd > 2 && isInheritable(fd));
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    // Gone since the listing: it was the listing's own.
    return false;
  }
}

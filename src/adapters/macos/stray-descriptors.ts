import { fstatSync, readdirSync } from 'node:fs';

/**
 * Every open descriptor of this process above 2. macOS tells no flags of them, so Node's own, which close on exec, are
 * among them: a child whose slot for them is covered loses nothing.
 *
 * Only what is open still: the listing's own number is free again, and libuv may take it for the pipe through which
 * a failed `exec` reports. A cover laid over that pipe would silence it.
 */
export function strayDescriptors(folder = '/dev/fd'): readonly number[] {
  return readdirSync(folder)
    .map(Number)
    .filter((fd) => Number.isSafeInteger(fd) && fd > 2 && isOpen(fd));
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

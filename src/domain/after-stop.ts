import { DaemonError, isDaemonError } from './daemon-error.js';
import type { Descriptor } from './descriptor.js';
import type { HeldLock, Machine } from './ports.js';

/**
 * Has a running daemon's record written as it is: where no record can be written, as on a full disk, nothing can be started in its
 * place, which is known then before it is stopped. Throws `unwritable`.
 */
export async function insistOnRecords(machine: Machine, held: HeldLock, running: Descriptor): Promise<void> {
  await machine.descriptors.write(held, running);
}

/** What comes after a daemon was stopped for it: where that fails, the failure says that it does not run any more. */
export async function afterStop<T>({ name, pid }: Pick<Descriptor, 'name' | 'pid'>, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (!isDaemonError(error)) throw error;
    const { code, message, facts, cause } = error;
    const told = `${message}; ${name} (pid ${pid}) was stopped for this, and was not started again`;
    throw new DaemonError(code, told, { ...facts, stopped: pid }, cause);
  }
}

import { type DaemonView, lookClosely } from './look.js';
import type { Machine } from './ports.js';

/** Every daemon of this home as it is now, by name. Starts, writes and locks nothing. */
export async function listDaemons(
  machine: Pick<Machine, 'descriptors' | 'inspector' | 'lock' | 'readiness'>,
): Promise<readonly DaemonView[]> {
  const views: DaemonView[] = [];
  for (const name of await machine.descriptors.names()) views.push(await lookClosely(machine, { name }));
  return views;
}

import { DaemonError } from './daemon-error.js';
import type { Descriptor } from './descriptor.js';
import { look } from './look.js';
import type { DaemonRef, Machine } from './ports.js';
import { unknownDaemon } from './under-lock.js';

export interface ReloadResult {
  readonly name: string;
  /** `asked`: over its socket, where it answers when it is done. `signalled`: by SIGHUP. */
  readonly outcome: 'asked' | 'signalled';
  readonly pid: number;
}

const reloadTimeoutMs = 30_000;

/**
 * Has a daemon read its configuration again: over the control protocol where it speaks it, else by SIGHUP, which ends
 * whoever does not handle it, and is not sent where that can be seen.
 *
 * Throws `not-running`, `not-reloadable`, `reload-failed`, `not-permitted`, `unknown-daemon`.
 */
export async function reloadDaemon(machine: Machine, ref: DaemonRef): Promise<ReloadResult> {
  const view = await look(machine, ref);
  const { name } = view.place;
  if (view.state === 'unknown') throw unknownDaemon(view);
  if (view.state !== 'running') throw new DaemonError('not-running', `${name} is ${view.state}: there is nothing to reload`, { name });
  const descriptor = view.descriptor as Descriptor;
  const { pid, socket, instanceId } = descriptor;
  const answer = socket === null ? 'not-served' : await machine.control.reload(socket, instanceId, reloadTimeoutMs);
  if (answer === 'reloaded') return { name, outcome: 'asked', pid };
  // Asked once more by SIGHUP, it would fail once more, and nobody would learn of it.
  if (answer !== 'not-served')
    throw new DaemonError('reload-failed', `${name} (pid ${pid}) could not reload: ${answer.failed}`, { name, pid });
  if ((await machine.inspector.handles(pid, 'SIGHUP')) === false) {
    throw new DaemonError('not-reloadable', `${name} (pid ${pid}) does not handle SIGHUP, which would end it`, { name, pid });
  }
  const outcome = await machine.signals.send(descriptor, 'SIGHUP');
  if (outcome === 'sent') return { name, outcome: 'signalled', pid };
  if (outcome === 'not-permitted')
    throw new DaemonError('not-permitted', `not permitted to signal pid ${pid}`, { name, pid, uid: descriptor.uid });
  throw new DaemonError('not-running', `${name} has just ended`, { name });
}

import { isDaemonError } from './daemon-error.js';
import type { Descriptor, Phase } from './descriptor.js';
import { endInstance, type InstanceEnd } from './end-instance.js';
import type { HeldLock, Machine } from './ports.js';

/** Writes a new phase into the descriptor, and keeps what else it says. */
export async function recordPhase(machine: Machine, held: HeldLock, descriptor: Descriptor, phase: Phase): Promise<Descriptor> {
  const next = { ...descriptor, phase };
  await machine.descriptors.write(held, next);
  return next;
}

/**
 * Ends the instance on record, and says so there first: whoever finds it after a crash of ours must not take a dying
 * daemon for a running one. `ending` is `backoff` for one that its supervisor starts again, `failed` for one that it
 * gives up. Throws what `endInstance` throws.
 */
export async function endRecorded(
  machine: Machine,
  held: HeldLock,
  descriptor: Descriptor,
  graceMs: number,
  ending: 'stopping' | 'backoff' | 'failed' = 'stopping',
): Promise<InstanceEnd> {
  const say = async (phase: Phase) => {
    try {
      await recordPhase(machine, held, descriptor, phase);
    } catch {
      // A full disk must not keep a daemon alive.
    }
  };
  try {
    return await endInstance(machine, descriptor, graceMs, () => say(ending));
  } catch (error) {
    // It was not even asked to end.
    if (isDaemonError(error) && error.code === 'not-permitted') await say(descriptor.phase);
    throw error;
  }
}

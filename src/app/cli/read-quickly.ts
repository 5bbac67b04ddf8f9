import { FileDescriptorRepo } from '../../adapters/files/file-descriptor-repo.js';
import { LinuxProcessInspector } from '../../adapters/linux/linux-process-inspector.js';
import type { Machine } from '../../domain/ports.js';
import { type MachineSettings, machineSettings } from '../composition/settings.js';
import type { Answer } from './answer.js';
import type { Invocation } from './invocation.js';
import type { ReadingMachine } from './verbs/context.js';
import { list } from './verbs/list.js';
import { status } from './verbs/status.js';

/**
 * `status` and `list` with the two adapters that they read with, since composing all of them would take as long again as
 * Node takes to start. `undefined` for any other verb, and where processes are looked at with more than files.
 */
export async function readQuickly(invocation: Invocation): Promise<Answer | undefined> {
  if (process.platform !== 'linux') return undefined;
  const verb = { status, list }[invocation.verb];
  return verb?.(invocation, { machine: readingMachine(machineSettings({ home: invocation.value('--home') })) });
}

async function compose(settings: MachineSettings): Promise<Machine> {
  const { composeMachine } = await import('./run-verb.js');
  return composeMachine(settings);
}

function readingMachine(settings: MachineSettings): ReadingMachine {
  let composed: Promise<Machine> | undefined;
  // For a phase that has to be derived, or one who has just ended and may be about to say so.
  const whole = () => {
    composed ??= compose(settings);
    return composed;
  };
  return {
    descriptors: new FileDescriptorRepo(settings),
    inspector: new LinuxProcessInspector(settings.env),
    lock: { acquire: async (...call) => (await whole()).lock.acquire(...call), holder: async (ref) => (await whole()).lock.holder(ref) },
    readiness: { check: async (...call) => (await whole()).readiness.check(...call) },
  };
}

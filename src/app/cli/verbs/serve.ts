import { supervisorName } from '../../../domain/daemon-name.js';
import type { Descriptor } from '../../../domain/descriptor.js';
import { look } from '../../../domain/look.js';
import type { Machine } from '../../../domain/ports.js';
import { stopDaemon } from '../../../domain/stop-daemon.js';
import { foregroundSpec } from '../../supervise/supervisor-spec.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { terminal } from '../terminal.js';
import type { VerbContext } from './context.js';
import { alreadyRunning, watchFromHere } from './run.js';

/** Reading the configuration again, and what daemons make of a signal of the user's, are theirs. */
const forwards = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** The supervisor of this home in the foreground, as the first process of a container: with it, all of its daemons end. */
export async function serve(invocation: Invocation, { machine, settings }: VerbContext): Promise<Answer> {
  const before = await look(machine, { name: supervisorName });
  if (before.state === 'running' && before.descriptor) throw alreadyRunning(before.descriptor);
  const onKilled = (supervisor: Descriptor) => endAllOf(machine, supervisor);
  return watchFromHere(machine, supervisorName, foregroundSpec(settings.home), { quiet: invocation.json, forwards, onKilled });
}

/** By a second Ctrl-C: nobody waits any longer, and nothing is left. */
async function endAllOf(machine: Machine, supervisor: Descriptor): Promise<void> {
  const left: string[] = [];
  for (const name of await machine.descriptors.names()) {
    const reading = await machine.descriptors.read({ name });
    if (reading.kind === 'present' && reading.descriptor.supervisedBy?.instanceId === supervisor.instanceId) left.push(name);
  }
  if (left.length === 0) return;
  terminal.err(`daemonry: killed the supervisor, and kill what it has not yet stopped: ${left.join(', ')}\n`);
  const ends = await Promise.allSettled(left.map((name) => stopDaemon(machine, { ref: { name }, graceMs: 0 })));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

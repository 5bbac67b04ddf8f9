import { supervisorName } from '../../../domain/daemon-name.js';
import { look } from '../../../domain/look.js';
import { foregroundSpec } from '../../supervise/supervisor-spec.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import type { VerbContext } from './context.js';
import { alreadyRunning, watchFromHere } from './run.js';

/** Reading the configuration again, and what daemons make of a signal of the user's, are theirs. */
const forwards = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** The supervisor of this home in the foreground, as the first process of a container: with it, all of its daemons end. */
export async function serve(invocation: Invocation, { machine, settings }: VerbContext): Promise<Answer> {
  const before = await look(machine, { name: supervisorName });
  if (before.state === 'running' && before.descriptor) throw alreadyRunning(before.descriptor);
  return watchFromHere(machine, supervisorName, foregroundSpec(settings.home), { quiet: invocation.json, forwards });
}

import { DaemonError } from '../../domain/daemon-error.js';
import { reviveSupervisor, type SupervisedMachine } from '../../domain/delegate.js';
import { composeMachine } from '../composition/compose.js';
import { machineSettings } from '../composition/settings.js';
import { withSupervisor } from '../composition/supervising.js';
import type { Answer } from './answer.js';
import { describeFailure } from './failure.js';
import type { Invocation } from './invocation.js';
import type { VerbContext } from './verbs/context.js';
import { restart } from './verbs/restart.js';
import { start } from './verbs/start.js';
import { stop } from './verbs/stop.js';

/** Also for who finds that it needs more than it has. */
export { composeMachine };

type Verb = (invocation: Invocation, context: VerbContext) => Promise<Answer>;

/** At hand for the verbs that scripts wait for; the others are read from another file. */
const verbs: Readonly<Record<string, Verb>> = { start, stop, restart };

/** Runs any verb on the machine as it is composed for this platform. */
export async function runVerb(invocation: Invocation): Promise<Answer> {
  const settings = { ...machineSettings({ home: invocation.value('--home') }), hasTime: invocation.names.length === 1 };
  const machine = withSupervisor(composeMachine(settings), settings);
  const verb = verbs[invocation.verb] ?? (await findMore(invocation.verb));
  const answer = await verb(invocation, { machine, settings, cwd: workingFolder });
  return acting.has(invocation.verb) ? revive(machine, answer) : answer;
}

/** Verbs that change something. The others start nothing, not even a supervisor. */
const acting = new Set(['start', 'stop', 'restart', 'up', 'down', 'apply', 'reload']);

/** A supervisor that was killed comes back with the next verb. Where it can't, the verb itself has succeeded all the same. */
async function revive(machine: SupervisedMachine, answer: Answer): Promise<Answer> {
  try {
    await reviveSupervisor(machine);
    return answer;
  } catch (error) {
    const { message } = describeFailure(error);
    return { ...answer, warnings: [...(answer.warnings ?? []), `the supervisor was gone, and can't be started again: ${message}`] };
  }
}

/** Verbs that read a project file, or write one. */
const ofProjects = new Set(['up', 'down', 'apply', 'validate', 'import']);

/** Verbs that speak with service managers, or in their words. */
const ofServices = new Set(['autostart', 'export']);

/** Asked for by the verbs that need it: it may have been removed under us. */
function workingFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new DaemonError('invalid-spec', 'the working folder does not exist any more', { allowed: 'change to one that does' }, error);
  }
}

async function findMore(verb: string): Promise<Verb> {
  return (await verbsWith(verb))[verb] as Verb;
}

function verbsWith(verb: string): Promise<Readonly<Record<string, Verb>>> {
  if (ofProjects.has(verb)) return import('./project-verbs.js');
  return ofServices.has(verb) ? import('./autostart-verbs.js') : import('./more-verbs.js');
}

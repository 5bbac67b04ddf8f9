import { composeMachine } from '../composition/compose.js';
import { machineSettings } from '../composition/settings.js';
import type { Answer } from './answer.js';
import type { Invocation } from './invocation.js';
import { completion } from './verbs/completion.js';
import type { VerbContext } from './verbs/context.js';
import { doctor } from './verbs/doctor.js';
import { list } from './verbs/list.js';
import { logs } from './verbs/logs.js';
import { restart } from './verbs/restart.js';
import { run } from './verbs/run.js';
import { start } from './verbs/start.js';
import { status } from './verbs/status.js';
import { stop } from './verbs/stop.js';
import { wait } from './verbs/wait.js';

const verbs: Readonly<Record<string, (invocation: Invocation, context: VerbContext) => Promise<Answer>>> = {
  start,
  stop,
  restart,
  status,
  list,
  logs,
  run,
  wait,
  doctor,
  completion,
};

/** Runs any verb on the machine as it is composed for this platform. */
export async function runVerb(invocation: Invocation): Promise<Answer> {
  const settings = machineSettings({ home: invocation.value('--home') });
  const machine = composeMachine(settings);
  const verb = verbs[invocation.verb] as (typeof verbs)[string];
  return verb(invocation, { machine, settings, cwd: process.cwd() });
}

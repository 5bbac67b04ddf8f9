import { isDaemonError } from './daemon-error.js';
import { supervisorName } from './daemon-name.js';
import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor } from './descriptor.js';
import { type EnsureRequest, type EnsureResult, ensureDaemon, isOutdated } from './ensure-daemon.js';
import { type DaemonView, look } from './look.js';
import type { DaemonRef, Machine } from './ports.js';
import { type RestartRequest, restartDaemon } from './restart-daemon.js';
import { alreadyRunning, type StartRequest, type StartResult, startDaemon } from './start-daemon.js';

export type DelegatedVerb = 'start' | 'restart' | 'ensure';

/** Asks a supervisor to do what a verb asks. */
export interface SupervisorChannel {
  /** Fails as the verb does; with `not-serving` where the supervisor was gone before it had answered. */
  perform(socket: string, verb: DelegatedVerb, request: StartRequest): Promise<StartResult>;
}

/** A machine on which a supervisor can be had. */
export interface SupervisedMachine extends Machine {
  /** How to start the one of this home. */
  readonly supervisorSpec: DaemonSpec;
  readonly supervisor: SupervisorChannel;
}

const supervisorRef: DaemonRef = { name: supervisorName };
/** A supervisor may be leaving, or be killed, just when it is asked. */
const mostAttempts = 3;

/** `startDaemon`, for a daemon that is to be restarted through the supervisor, which is its parent then. */
export async function startByPolicy(machine: SupervisedMachine, request: StartRequest): Promise<StartResult> {
  const view = await look(machine, request.ref);
  if (isThere(view)) return alreadyRunning(machine, view, request);
  return (await isKept(machine, request)) ? delegate(machine, 'start', request) : startDaemon(machine, request);
}

export async function restartByPolicy(machine: SupervisedMachine, request: RestartRequest): Promise<StartResult> {
  return (await isKept(machine, request)) ? delegate(machine, 'restart', request) : restartDaemon(machine, request);
}

export async function ensureByPolicy(machine: SupervisedMachine, request: EnsureRequest): Promise<EnsureResult> {
  const view = await look(machine, request.ref);
  if (isThere(view) && !isOutdated(view.descriptor as Descriptor, request.spec)) return alreadyRunning(machine, view, request);
  return (await isKept(machine, request)) ? delegate(machine, 'ensure', request) : ensureDaemon(machine, request);
}

/** There is nothing to hand over, then. */
function isThere({ state, phase }: DaemonView): boolean {
  return state === 'running' && phase === 'ready';
}

/** Brings back a supervisor that was killed, and so did not clear its record. It finds by itself whom it has to keep. */
export async function reviveSupervisor(machine: SupervisedMachine): Promise<void> {
  if ((await look(machine, supervisorRef)).state === 'stale')
    await startDaemon(machine, { ref: supervisorRef, spec: machine.supervisorSpec });
}

async function isKept(machine: Machine, { ref, spec }: Pick<StartRequest, 'ref' | 'spec'>): Promise<boolean> {
  const { restart = 'never' } = spec ?? (await machine.descriptors.readSpec(ref)) ?? {};
  return restart !== 'never';
}

async function delegate(machine: SupervisedMachine, verb: DelegatedVerb, request: StartRequest): Promise<StartResult> {
  for (let attempt = 1; ; attempt++) {
    const { descriptor } = await startDaemon(machine, { ref: supervisorRef, spec: machine.supervisorSpec, signal: request.signal });
    try {
      return await machine.supervisor.perform(descriptor.socket as string, verb, request);
    } catch (error) {
      const isLost = isDaemonError(error) && error.code === 'not-serving';
      if (!isLost || attempt >= mostAttempts) throw error;
    }
  }
}

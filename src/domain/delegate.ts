import { isDaemonError } from './daemon-error.js';
import { supervisorName } from './daemon-name.js';
import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor } from './descriptor.js';
import { type EnsureRequest, type EnsureResult, ensureDaemon, isToBeReplaced } from './ensure-daemon.js';
import { type DaemonView, look } from './look.js';
import { inPlaceOf } from './mismatch.js';
import type { DaemonRef, Machine } from './ports.js';
import { type RestartRequest, restartDaemon } from './restart-daemon.js';
import { alreadyRunning, type StartRequest, type StartResult, startDaemon } from './start-daemon.js';

export type DelegatedVerb = 'start' | 'restart' | 'ensure';

/** Asks a supervisor to do what a verb asks. */
export interface SupervisorChannel {
  /** Fails as the verb does; with `not-serving` where the supervisor was gone before it had answered. */
  perform(socket: string, verb: DelegatedVerb, request: StartRequest): Promise<StartResult>;
}

/** Asks the service manager for a daemon that it is to keep. */
export interface ServiceChannel {
  /** Has it started anew, as its spec says by now; `undefined` where no service has this daemon for its own, or none can be asked. */
  start(request: StartRequest): Promise<StartResult | undefined>;
  /** The same, of one that may run: it is stopped first. */
  restart(request: RestartRequest): Promise<StartResult | undefined>;
}

/** A machine on which a supervisor can be had. */
export interface SupervisedMachine extends Machine {
  /** How to start the one of this home. */
  readonly supervisorSpec: DaemonSpec;
  readonly supervisor: SupervisorChannel;
  /** Where a service manager may keep some of its daemons. */
  readonly services?: ServiceChannel;
}

const supervisorRef: DaemonRef = { name: supervisorName };
/** A supervisor may be leaving, or be killed, just when it is asked: so often in any case, and for so long, another one is asked. */
const fewestAttempts = 3;
const patienceMs = 5_000;
/** One that is dying is on record, and does not answer, until it is dead. */
const retryPauseMs = 20;

/** `startDaemon`, for a daemon that is to be restarted through the supervisor, which is its parent then. */
export async function startByPolicy(machine: SupervisedMachine, request: StartRequest): Promise<StartResult> {
  const view = await look(machine, request.ref);
  if (isThere(view)) return alreadyRunning(machine, view, request);
  const served = view.state === 'unknown' ? undefined : await machine.services?.start(request);
  if (served) return served;
  return (await isKept(machine, request)) ? delegate(machine, 'start', request) : startDaemon(machine, request);
}

export async function restartByPolicy(machine: SupervisedMachine, request: RestartRequest): Promise<StartResult> {
  const served = await machine.services?.restart(request);
  if (served) return served;
  return (await isKept(machine, request)) ? delegate(machine, 'restart', request) : restartDaemon(machine, request);
}

export async function ensureByPolicy(machine: SupervisedMachine, request: EnsureRequest): Promise<EnsureResult> {
  const view = await look(machine, request.ref);
  if (isThere(view) && !(await isToBeReplaced(machine, view.descriptor as Descriptor, request)))
    return alreadyRunning(machine, view, request);
  const verb = isThere(view) ? 'restart' : 'start';
  const wanted = verb === 'restart' ? { ...request, spec: inPlaceOf(request.spec, view.descriptor as Descriptor) } : request;
  const served = view.state === 'unknown' ? undefined : await machine.services?.[verb](wanted);
  if (served) return verb === 'restart' ? { ...served, outcome: 'replaced' } : served;
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
  const { clock } = machine;
  // What is wrong with it is known at once, where it was asked for: a name for one of our own descriptors, too, means nothing elsewhere.
  if (request.spec) await machine.spawner.resolve(request.spec, request.environment);
  const deadline = clock.monotonicMs() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      const { socket } = await supervisorOf(machine, request.signal);
      return await machine.supervisor.perform(socket as string, verb, request);
    } catch (error) {
      const isSpent = attempt >= fewestAttempts && clock.monotonicMs() >= deadline;
      if (!isLoss(error) || isSpent || request.signal?.aborted) throw error;
      await clock.sleep(retryPauseMs, request.signal);
    }
  }
}

/** The one that runs, and is asked nothing more than that; else one that is started for it. */
async function supervisorOf(machine: SupervisedMachine, signal: AbortSignal | undefined): Promise<Descriptor> {
  const view = await look(machine, supervisorRef);
  if (isThere(view)) return view.descriptor as Descriptor;
  return (await startDaemon(machine, { ref: supervisorRef, spec: machine.supervisorSpec, signal })).descriptor;
}

/** It was gone before it had answered, or was killed before it was ready: one that ends by itself will do so again. */
function isLoss(error: unknown): boolean {
  if (!isDaemonError(error)) return false;
  const { code, facts } = error;
  return code === 'not-serving' || (code === 'ended-before-ready' && facts.name === supervisorName && facts.exitCode === null);
}

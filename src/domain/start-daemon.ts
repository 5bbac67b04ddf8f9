import { awaitReadiness } from './await-readiness.js';
import { DaemonError } from './daemon-error.js';
import { type DaemonSpec, differingFields, specDefaults } from './daemon-spec.js';
import { stepFor } from './daemon-state.js';
import type { Descriptor } from './descriptor.js';
import { recordPhase } from './end-recorded.js';
import { type Launched, launchDaemon, type Supervision } from './launch-daemon.js';
import { type DaemonView, look } from './look.js';
import type { Owner } from './owner.js';
import type { DaemonRef, Environment, HeldLock, Launch, Machine, ProcessEnd, ResolvedCommand } from './ports.js';
import { cleanUp, endAndClear, lockWait, lookHeld, underLock, unknownDaemon } from './under-lock.js';

export interface StartRequest {
  readonly ref: DaemonRef;
  /** Without one, the remembered spec. */
  readonly spec?: DaemonSpec | undefined;
  /** Clears a record that nobody can judge, without a signal. */
  readonly force?: boolean | undefined;
  /** Aborting it ends the daemon that is being started. */
  readonly signal?: AbortSignal | undefined;
  /** Of a supervisor that starts it for somebody else. */
  readonly supervision?: Supervision | undefined;
  /** For whom it is started, where it is to leave with him. */
  readonly owner?: Owner | undefined;
  /** The environment of whom it is started for, where that is not this process. */
  readonly environment?: Environment | undefined;
  /** Told as soon as the new instance is on record, before it is ready. */
  readonly onLaunched?: ((descriptor: Descriptor) => void) | undefined;
}

export interface StartResult {
  /** `replaced`: of `ensureDaemon` only. */
  readonly outcome: 'started' | 'already-running' | 'starting' | 'replaced';
  readonly descriptor: Descriptor;
  /** By which it was started; `undefined` where it ran before. */
  readonly spec?: DaemonSpec | undefined;
  /** Absolute path of the descriptor. */
  readonly path: string;
  /** Where an already running daemon's remembered spec differs from the one asked for: said, not applied. */
  readonly differs: readonly string[];
  /** How the started process ended, once it has: only its starter learns of it. */
  readonly end: () => ProcessEnd | undefined;
  /** Resolves when it has; see `Launch`. `undefined` where it ran before. */
  readonly ended?: Launch['ended'] | undefined;
}

/**
 * Starts a daemon unless it runs already. Any number of starters get one daemon, and each of them its pid.
 *
 * Throws `invalid-name`, `invalid-spec`, `no-remembered-spec`, `command-not-found`, `not-executable`, `not-permitted`,
 * `unsafe-home`, `unwritable`, `unknown-daemon`, `ended-before-ready`, `ready-timeout`, `lock-timeout`, `cancelled`.
 */
export async function startDaemon(machine: Machine, request: StartRequest): Promise<StartResult> {
  const { ref } = request;
  const first = await look(machine, ref);
  if (first.state === 'running' && first.phase === 'ready') return alreadyRunning(machine, first, request);
  if (first.state === 'unknown' && !request.force) throw unknownDaemon(first);

  // Before the lock: a wrong command fails at once, whoever holds it. Where it runs already, it is not needed.
  const prepared = first.state === 'running' ? undefined : await prepare(machine, first, request);
  // Where it runs but isn't ready, a start may be under way, and take as long as its own spec says.
  const inCharge = prepared?.spec ?? (await machine.descriptors.readSpec(ref)) ?? request.spec;
  const wait = lockWait(inCharge, request.signal);
  return underLock(machine, ref, wait, async (held) => startHeld(machine, held, request, prepared));
}

interface Prepared {
  readonly spec: DaemonSpec;
  readonly command: ResolvedCommand;
}

async function prepare(machine: Machine, view: DaemonView, request: StartRequest): Promise<Prepared> {
  const spec = request.spec ?? (await machine.descriptors.readSpec(request.ref));
  if (spec) return { spec, command: await machine.spawner.resolve(spec, request.environment) };
  const { name } = view.place;
  throw new DaemonError('no-remembered-spec', `no command is given, and none is remembered for ${name}`, { name });
}

async function startHeld(machine: Machine, held: HeldLock, request: StartRequest, prepared: Prepared | undefined): Promise<StartResult> {
  const view = await lookHeld(machine, held);
  const step = stepFor(view.state, request.force ? 'start-by-force' : 'start');
  switch (step) {
    case 'nothing': {
      const settled = await settle(machine, held, view, request);
      if (settled) return settled;
      await endAndClear(machine, held, view.descriptor as Descriptor, { what: 'ended, half started or half stopped as it was,' });
      break;
    }
    case 'refuse':
      throw unknownDaemon(view);
    case 'forget-and-launch':
      await machine.descriptors.clear(held);
      break;
    default:
      await cleanUp(machine, held, view);
  }
  // A remembered spec is read again: another start may have been remembered while we waited.
  const { spec, command } = (request.spec && prepared) ?? (await prepare(machine, view, request));
  return started(await launchDaemon(machine, held, spec, command, request));
}

/** Asks nothing more of the machine: what could fail now would be told as a failure of a start that succeeded. */
export function started({ outcome, descriptor, spec, path, end, ended }: Launched): StartResult {
  return { outcome, descriptor, spec, path, differs: [], end, ended };
}

/**
 * Brings a running instance to `ready` whose starter or stopper is gone: we hold the lock, so nobody else is about it.
 * Returns `undefined` where that instance is on its way out, or does not become ready and is not to be kept.
 */
async function settle(machine: Machine, held: HeldLock, view: DaemonView, request: StartRequest): Promise<StartResult | undefined> {
  const descriptor = view.descriptor as Descriptor;
  if (descriptor.phase === 'ready') return alreadyRunning(machine, view, request);
  // `stopping` is an interrupted stop: half stopped is no state to leave a daemon in.
  if (descriptor.phase !== 'starting') return undefined;
  const spec = (await machine.descriptors.readSpec(request.ref)) ?? specDefaults;
  const outcome = await awaitReadiness(machine, descriptor, spec.readyTimeoutMs, request.signal);
  if (outcome === 'cancelled')
    throw new DaemonError('cancelled', `the start of ${view.place.name} was cancelled`, { name: view.place.name });
  // Slow is not dead: who asked for it to be kept finds it loading still.
  if (outcome === 'timeout' && spec.onTimeout === 'keep') return { ...(await alreadyRunning(machine, view, request)), outcome: 'starting' };
  if (outcome !== 'ready') return undefined;
  const ready = await recordPhase(machine, held, descriptor, 'ready');
  return alreadyRunning(machine, { ...view, descriptor: ready, phase: 'ready' }, request);
}

/** The answer for one that runs: nothing is changed. */
export async function alreadyRunning(machine: Machine, view: DaemonView, request: StartRequest): Promise<StartResult> {
  const descriptor = view.descriptor as Descriptor;
  // By the same definition: it is not read again to be compared.
  const isSame = request.spec?.fingerprint !== undefined && request.spec.fingerprint === descriptor.fingerprint;
  const remembered = request.spec && !isSame && (await machine.descriptors.readSpec(request.ref));
  return {
    outcome: 'already-running',
    descriptor,
    path: view.place.descriptor,
    differs: request.spec && remembered ? differingFields(request.spec, remembered) : [],
    end: () => undefined,
  };
}

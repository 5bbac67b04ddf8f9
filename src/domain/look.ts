import { classify, type DaemonState, type Guardian, type StateReason } from './daemon-state.js';
import type { Descriptor, DescriptorReading, Phase, SupervisorReference } from './descriptor.js';
import { isDead, judgeObservation, judgeWorld, type ProcessIdentity, type Sighting } from './identity.js';
import type { DaemonPlace, DaemonRef, Machine, ProcessInspector, ReadinessWatch, ReadySubject } from './ports.js';
import { parseReadyCondition } from './ready-condition.js';

/** What is known of a daemon at one moment. Looking starts, writes and locks nothing. */
export interface DaemonView {
  readonly place: DaemonPlace;
  readonly reading: DescriptorReading;
  readonly descriptor: Descriptor | null;
  readonly state: DaemonState;
  readonly reason: StateReason;
  /** While a process lives, and where a supervisor has none to show. */
  readonly phase: Phase | null;
}

export async function look(machine: Pick<Machine, 'descriptors' | 'inspector'>, ref: DaemonRef): Promise<DaemonView> {
  const place = await machine.descriptors.place(ref);
  const reading = await machine.descriptors.read(ref);
  const descriptor = reading.kind === 'present' ? reading.descriptor : null;
  const sighting = descriptor === null ? undefined : await sight(machine.inspector, descriptor);
  const guardian =
    descriptor !== null && sighting !== undefined && isDead(sighting) ? await guardianOf(machine.inspector, descriptor) : 'gone';
  const { state, reason } = classify(
    reading,
    () => sighting as Sighting,
    () => guardian,
  );
  return { place, reading, descriptor, state, reason, phase: phaseOf(state, reason, descriptor) };
}

function phaseOf(state: DaemonState, reason: StateReason, descriptor: Descriptor | null): Phase | null {
  if (reason === 'awaiting-restart' || reason === 'supervisor-gone') return 'backoff';
  if (reason === 'crash-loop') return 'failed';
  if (state !== 'running' || descriptor === null) return null;
  // Its supervisor ends it, to start it again.
  return descriptor.phase === 'backoff' || descriptor.phase === 'failed' ? 'stopping' : descriptor.phase;
}

/** Whether the supervisor on record is alive: in the same world as the daemon that it started or took over. */
async function guardianOf(inspector: ProcessInspector, descriptor: Descriptor): Promise<Guardian> {
  if (descriptor.supervisedBy === null || descriptor.supervisedBy.left) return 'gone';
  const sighting = await sight(inspector, supervisorOf(descriptor, descriptor.supervisedBy));
  return isDead(sighting) ? 'gone' : sighting.kind === 'alive' ? 'alive' : 'cannot-tell';
}

export function supervisorOf(descriptor: Descriptor, { pid, startToken, world }: SupervisorReference): ProcessIdentity {
  const { bootId, pidNamespace, timeNamespace, host } = world ?? descriptor;
  return { pid, startToken, bootId, pidNamespace, timeNamespace, host };
}

type CloseMachine = Pick<Machine, 'descriptors' | 'inspector' | 'lock' | 'readiness'>;

/** A stop, and a start that comes right after it, end while they are looked at. */
const mostLooks = 4;

/**
 * The same, with the phase made true: one still written `starting` whose starter is gone is derived from the
 * readiness evidence, which outlives the starter. And one that is just being stopped is not told as stale.
 */
export async function lookClosely(machine: CloseMachine, ref: DaemonRef): Promise<DaemonView> {
  const view = await lookPastStops(machine, ref);
  if (view.phase !== 'starting' || view.descriptor === null) return view;
  if (await isHeld(machine, ref)) return view;
  return (await isReady(machine, view.descriptor)) ? { ...view, phase: 'ready' } : view;
}

/** Between the end of its process and that of its record it is for the living stopper to say how it ended. */
async function lookPastStops(machine: CloseMachine, ref: DaemonRef): Promise<DaemonView> {
  let view = await look(machine, ref);
  for (let looks = 1; view.state === 'stale' && view.descriptor !== null && looks < mostLooks; looks++) {
    if (view.descriptor.phase === 'stopping' && (await isHeld(machine, ref))) {
      return { ...view, state: 'stopped', reason: 'being-stopped', phase: null };
    }
    // Who stopped it may have been at its end when we looked, and done when we looked for it.
    const again = await look(machine, ref);
    if (isSameRecord(view.descriptor, again.descriptor)) return again;
    view = again;
  }
  return view;
}

function isSameRecord(before: Descriptor, after: Descriptor | null): boolean {
  return before.instanceId === after?.instanceId && before.phase === after.phase;
}

/** Whether somebody who lives is starting or stopping it. */
async function isHeld(machine: Pick<Machine, 'inspector' | 'lock'>, ref: DaemonRef): Promise<boolean> {
  const holder = await machine.lock.holder(ref);
  return holder !== undefined && !isDead(await sight(machine.inspector, holder));
}

/** Sees one recorded process from here. */
export async function sight(inspector: ProcessInspector, recorded: ProcessIdentity): Promise<Sighting> {
  const here = await inspector.vantage();
  let world = judgeWorld(recorded, here, undefined);
  if (world.kind === 'other' && world.reason === 'other-pid-namespace') {
    world = judgeWorld(recorded, here, await inspector.isNamespaceInhabited(recorded.pidNamespace));
  }
  if (world.kind === 'ended') return { kind: 'gone' };
  if (world.kind === 'other') return { kind: 'cannot-tell', reason: world.reason };
  return judgeObservation(recorded, await inspector.observe(recorded.pid));
}

/** One look at the readiness evidence of a running instance. */
export async function isReady(machine: Pick<Machine, 'readiness'>, descriptor: Descriptor): Promise<boolean> {
  const condition = parseReadyCondition(descriptor.ready);
  return typeof condition === 'string' ? true : await machine.readiness.check(condition, readySubject(descriptor));
}

/** Hears of news of that evidence; see `ReadinessProbe`. */
export function watchReadiness(machine: Pick<Machine, 'readiness'>, descriptor: Descriptor): ReadinessWatch | undefined {
  const condition = parseReadyCondition(descriptor.ready);
  return typeof condition === 'string' ? undefined : machine.readiness.watch?.(condition, readySubject(descriptor));
}

export function readySubject(descriptor: Descriptor): ReadySubject {
  const { pid, socket, log, logOffset, notifyFile } = descriptor;
  return { pid, socket, log, logOffset, notifyFile };
}

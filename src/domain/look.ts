import { classify, type DaemonState, type StateReason } from './daemon-state.js';
import type { Descriptor, DescriptorReading, Phase } from './descriptor.js';
import { isDead, judgeObservation, judgeWorld, type ProcessIdentity, type Sighting } from './identity.js';
import type { DaemonPlace, DaemonRef, Machine, ProcessInspector, ReadySubject } from './ports.js';
import { parseReadyCondition } from './ready-condition.js';

/** What is known of a daemon at one moment. Looking starts, writes and locks nothing. */
export interface DaemonView {
  readonly place: DaemonPlace;
  readonly reading: DescriptorReading;
  readonly descriptor: Descriptor | null;
  readonly state: DaemonState;
  readonly reason: StateReason;
  /** Only while a process lives. */
  readonly phase: Phase | null;
}

export async function look(machine: Pick<Machine, 'descriptors' | 'inspector'>, ref: DaemonRef): Promise<DaemonView> {
  const place = await machine.descriptors.place(ref);
  const reading = await machine.descriptors.read(ref);
  const descriptor = reading.kind === 'present' ? reading.descriptor : null;
  const sighting = descriptor === null ? undefined : await sight(machine.inspector, descriptor);
  const { state, reason } = classify(reading, () => sighting as Sighting);
  return { place, reading, descriptor, state, reason, phase: state === 'running' && descriptor ? descriptor.phase : null };
}

/**
 * The same, with the phase made true: one still written `starting` whose starter is gone is derived from the
 * readiness evidence, which outlives the starter.
 */
export async function lookClosely(
  machine: Pick<Machine, 'descriptors' | 'inspector' | 'lock' | 'readiness'>,
  ref: DaemonRef,
): Promise<DaemonView> {
  const view = await look(machine, ref);
  if (view.phase !== 'starting' || view.descriptor === null) return view;
  const starter = await machine.lock.holder(ref);
  if (starter && !isDead(await sight(machine.inspector, starter))) return view;
  return (await isReady(machine, view.descriptor)) ? { ...view, phase: 'ready' } : view;
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

export function readySubject(descriptor: Descriptor): ReadySubject {
  const { pid, socket, log, logOffset, notifyFile } = descriptor;
  return { pid, socket, log, logOffset, notifyFile };
}

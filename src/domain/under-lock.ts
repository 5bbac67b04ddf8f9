import { DaemonError } from './daemon-error.js';
import type { DaemonSpec } from './daemon-spec.js';
import { specDefaults } from './daemon-spec.js';
import type { Descriptor } from './descriptor.js';
import { endAll, endLeftovers, type InstanceEnd, nothingToEnd } from './end-instance.js';
import { endRecorded } from './end-recorded.js';
import { type DaemonView, look } from './look.js';
import type { DaemonRef, HeldLock, LockWait, Machine } from './ports.js';
import { recordRun, sawMemoryKill } from './record-run.js';
import { findMarked } from './remains.js';

/** Beyond what a holder may spend on its daemon's own times: file work and kills. */
const lockMarginMs = 60_000;

/** Runs `work` as the only one who may change this daemon. */
export async function underLock<T>(machine: Machine, ref: DaemonRef, wait: LockWait, work: (held: HeldLock) => Promise<T>): Promise<T> {
  const held = await machine.lock.acquire(ref, wait);
  try {
    return await work(held);
  } finally {
    await held.release();
  }
}

/** Long enough for a holder that waits out its daemon's readiness and grace. */
export function lockWait(spec: DaemonSpec | undefined, signal?: AbortSignal): LockWait {
  const { readyTimeoutMs, graceMs } = spec ?? specDefaults;
  return { timeoutMs: readyTimeoutMs + graceMs + lockMarginMs, signal };
}

/** A look by the holder of the lock: nobody is starting, so a starter's intent is one that was never carried out. */
export async function lookHeld(machine: Machine, { ref }: HeldLock): Promise<DaemonView> {
  const view = await look(machine, ref);
  return view.state === 'running' && view.descriptor?.intent ? { ...view, state: 'stale', reason: 'process-gone', phase: null } : view;
}

/** Ends the running instance and clears its record. `what`: for the flight recorder, what is done to it. */
export async function endAndClear(
  machine: Machine,
  held: HeldLock,
  descriptor: Descriptor,
  { graceMs = descriptor.stop.graceMs, what = 'stopped' }: { graceMs?: number | undefined; what?: string } = {},
): Promise<InstanceEnd> {
  const end = await endRecorded(machine, held, descriptor, graceMs);
  const { pid } = await machine.inspector.vantage();
  const how = end.forced ? ', and killed, since it did not end within its grace' : '';
  await recordRun(machine, held, { descriptor, cause: 'stop', decision: `${what} by pid ${pid}${how}` });
  await clearForGood(machine, held, descriptor);
  return end;
}

/** Ends what a dead or lost instance left, and clears its record. */
export async function cleanUp(machine: Machine, held: HeldLock, view: DaemonView, graceMs?: number): Promise<InstanceEnd> {
  await recordLoss(machine, held, view);
  let end = nothingToEnd;
  if (view.descriptor) end = await endLeftovers(machine, view.descriptor, graceMs ?? view.descriptor.stop.graceMs);
  else if (view.reading.kind === 'corrupt') end = await endLost(machine, view, graceMs ?? specDefaults.graceMs);
  await clearForGood(machine, held, view.descriptor);
  return end;
}

/** A supervisor that takes over after a power cut would start again what it finds on record. */
export async function clearForGood(machine: Machine, held: HeldLock, descriptor: Descriptor | null): Promise<void> {
  await machine.descriptors.clear(held);
  if (descriptor?.supervisedBy) await settleQuietly(machine, held);
}

/** What was done is done, whether it would outlive a power cut or not. */
export async function settleQuietly(machine: Machine, held: HeldLock): Promise<void> {
  try {
    await machine.descriptors.settle(held);
  } catch {
    // The next record that is written has to settle, too.
  }
}

/** Of a run whose end nobody saw. */
async function recordLoss(machine: Machine, held: HeldLock, { descriptor, reading }: DaemonView): Promise<void> {
  // In these phases it has been recorded already; an intent has never run.
  if (descriptor === null || descriptor.intent || descriptor.phase === 'backoff' || descriptor.phase === 'failed') return;
  if (descriptor.phase === 'stopping') {
    await recordRun(machine, held, { descriptor, cause: 'stop', decision: 'stopped by somebody who did not live to say so' });
  } else if (reading.kind === 'present' && reading.endedCleanly) {
    await recordRun(machine, held, { descriptor, cause: 'exit', decision: 'it ended by itself, and nobody was to start it again' });
  } else {
    const cause = (await sawMemoryKill(machine, descriptor)) ? 'oom' : 'unknown';
    await recordRun(machine, held, { descriptor, cause, decision: 'nobody was there to see its end' });
  }
}

/** A descriptor that can't be parsed names nobody, but its daemon may still run, and carries the path in its environment. */
async function endLost(machine: Machine, view: DaemonView, graceMs: number): Promise<InstanceEnd> {
  const { name, descriptor } = view.place;
  const find = async () => ({ leader: undefined, group: [], escaped: await findMarked(machine, descriptor) });
  const leader = await machine.inspector.vantage();
  const target = { name, leader, stopSignal: specDefaults.stopSignal, find };
  return endAll(machine, target, machine.clock.monotonicMs() + graceMs);
}

export function unknownDaemon(view: DaemonView): DaemonError {
  const { name } = view.place;
  return new DaemonError('unknown-daemon', `whether ${name} runs can't be told from here (${view.reason})`, {
    name,
    reason: view.reason,
    descriptor: view.place.descriptor,
    host: view.descriptor?.host ?? null,
    pid: view.descriptor?.pid ?? null,
  });
}

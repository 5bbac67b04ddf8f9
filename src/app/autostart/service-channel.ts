import { afterStop, insistOnRecords } from '../../domain/after-stop.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import { look } from '../../domain/look.js';
import type { DaemonRef, Machine } from '../../domain/ports.js';
import type { RestartRequest } from '../../domain/restart-daemon.js';
import { alreadyRunning, type StartRequest, type StartResult } from '../../domain/start-daemon.js';
import { stopDaemon } from '../../domain/stop-daemon.js';
import { lockWait, lookHeld, underLock, unknownDaemon } from '../../domain/under-lock.js';
import { autostartContext } from '../composition/autostart.js';
import type { MachineSettings } from '../composition/settings.js';
import { type AutostartContext, findService, startService } from './autostart.js';
import { findDaemonTarget } from './find-daemon-target.js';

/** `start` and `restart` of a daemon that has a service of its own; `undefined` where it has none, or its manager can't be asked. */
export async function startByService(
  machine: Machine,
  settings: MachineSettings,
  request: StartRequest & Pick<RestartRequest, 'graceMs'>,
  isRestart: boolean,
): Promise<StartResult | undefined> {
  const { ref, spec } = request;
  if (ref.descriptor !== undefined) return undefined;
  const context = autostartContext(machine, settings);
  const record = findService(context.files.records(), ref.name);
  if (!record || record.project !== null || !(await canBeAsked(context, record.id))) return undefined;
  const view = await look(machine, ref);
  if (view.state === 'unknown') throw unknownDaemon(view);
  // What it is to start is what is remembered. Whether that can be started is found out before anything is stopped.
  const wanted = spec ?? (await machine.descriptors.readSpec(ref));
  if (!wanted) return undefined;
  await machine.spawner.resolve(wanted);
  // Of any number of starters one has it started, and the others find it.
  return underLock(machine, context.files.lockOf(record.id), lockWait(wanted, request.signal), async () => {
    const now = await look(machine, ref);
    if (!isRestart && now.state === 'running' && now.phase === 'ready') return alreadyRunning(machine, now, { ref, spec });
    if (spec) await remember(machine, ref, spec, request.signal);
    const start = async () => startService(context, await findDaemonTarget(context, ref.name), request.signal);
    if (isRestart) await insistOnPlace(machine, ref, request.signal);
    const stopped = isRestart ? await stopDaemon(machine, { ref, graceMs: request.graceMs, signal: request.signal }) : undefined;
    if (stopped?.pid && ['stopped', 'killed'].includes(stopped.outcome)) await afterStop({ name: ref.name, pid: stopped.pid }, start);
    else await start();
    const { descriptor, place } = await look(machine, ref);
    if (descriptor === null) throw endedSince(ref.name);
    return { outcome: 'started', descriptor, path: place.descriptor, differs: [], end: () => undefined };
  });
}

function remember(machine: Machine, ref: DaemonRef, spec: DaemonSpec, signal: AbortSignal | undefined): Promise<void> {
  return underLock(machine, ref, lockWait(spec, signal), async (held) => {
    await machine.descriptors.writeSpec(held, spec);
    await machine.descriptors.settle(held);
  });
}

/** Where no record can be written, that is known before the daemon is stopped. */
function insistOnPlace(machine: Machine, ref: DaemonRef, signal: AbortSignal | undefined): Promise<void> {
  return underLock(machine, ref, lockWait(undefined, signal), async (held) => {
    const { state, descriptor } = await lookHeld(machine, held);
    if (state === 'running' && descriptor) await insistOnRecords(machine, held, descriptor);
  });
}

function endedSince(name: string): DaemonError {
  return new DaemonError('autostart-failed', `${name} was started, and has ended since`, {
    name,
    allowed: `daemonry why ${name} tells more`,
  });
}

async function canBeAsked({ installer }: AutostartContext, id: string): Promise<boolean> {
  try {
    await installer.insist();
    return (await installer.sight(id)).definition !== undefined;
  } catch {
    return false;
  }
}

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { lastingNode } from '../../adapters/autostart/lasting-node.js';
import type { ServiceFiles, ServiceRecord, ServiceReport } from '../../adapters/autostart/service-files.js';
import { type AutostartInstaller, exitCodeGivenUp, type ServiceEntry } from '../../domain/autostart-installer.js';
import { DaemonError, type DaemonErrorCode } from '../../domain/daemon-error.js';
import { sameName } from '../../domain/daemon-name.js';
import { specDefaults } from '../../domain/daemon-spec.js';
import { type DaemonView, look } from '../../domain/look.js';
import type { Machine } from '../../domain/ports.js';
import type { MachineSettings } from '../composition/settings.js';
import { findProgram } from '../supervise/supervisor-spec.js';
import type { ServiceTarget } from './service-target.js';

export interface AutostartContext {
  readonly machine: Machine;
  readonly installer: AutostartInstaller;
  readonly files: ServiceFiles;
  readonly settings: MachineSettings;
}

/** Beyond the daemon's own times: for Node, a lock, and a manager that is busy. */
const marginMs = 30_000;
const pollMs = 20;

/** What the service manager is told of a target. */
export function entryOf({ files, settings }: Pick<AutostartContext, 'files' | 'settings'>, target: ServiceTarget): ServiceEntry {
  const sum = (of: 'readyTimeoutMs' | 'graceMs') => target.specs.reduce((total, spec) => total + spec[of], 0);
  const [only] = target.project === null ? target.specs : [];
  return {
    id: target.id,
    description: target.description,
    ...launcherCommand(files, settings, target.id),
    // One that runs already is stopped first.
    startTimeoutMs: sum('readyTimeoutMs') + sum('graceMs') + marginMs,
    stopTimeoutMs: sum('graceMs') + marginMs,
    restartLimit: only?.restartLimit ?? specDefaults.restartLimit,
    restartWindowMs: only?.restartWindowMs ?? specDefaults.restartWindowMs,
  };
}

/** Through a shell, so that neither a mode nor an odd path of the home stands in the way. */
function launcherCommand(files: ServiceFiles, { platform, env }: MachineSettings, id: string): Pick<ServiceEntry, 'command' | 'cwd'> {
  if (platform !== 'win32') return { command: ['/bin/sh', files.launcher, id] };
  const system = `${env.SystemRoot ?? 'C:\\Windows'}\\System32`;
  // A console without a window; the launcher by its name alone, since cmd.exe reads paths by rules of its own.
  return {
    command: [`${system}\\conhost.exe`, '--headless', `${system}\\cmd.exe`, '/d', '/c', 'launcher.cmd', id],
    cwd: files.folder,
  };
}

/** By which Node and program a service is started as things are now. */
export function runtimeNow(): { readonly node: string; readonly program: string } {
  return { node: lastingNode(process.execPath), program: findProgram('service.js') };
}

/** The service of a daemon, by any spelling of its name. */
export function findService(records: readonly ServiceRecord[], name: string): ServiceRecord | undefined {
  return records.find(({ names }) => names.some((one) => sameName(one, name)));
}

/** Writes what the manager and the launcher need. */
export async function installService(context: AutostartContext, target: ServiceTarget): Promise<ServiceRecord> {
  const { installer, files, settings } = context;
  const runtime = runtimeNow();
  const record: ServiceRecord = {
    id: target.id,
    manager: installer.manager,
    home: settings.home,
    names: target.names,
    project: target.project,
    definition: installer.place(target.id),
    ...runtime,
    folders: await foldersOf(context, target),
  };
  files.writeLauncher(files.launcherText(runtime));
  files.writeRecord(record);
  await installer.install(entryOf(context, target));
  return record;
}

/** Of the programs that are looked for in PATH, which is another where the service runs. What can't be found now is no news for here. */
async function foldersOf({ machine }: AutostartContext, { specs }: ServiceTarget): Promise<readonly string[]> {
  const bare = specs.filter(({ command }) => !/[\\/]/.test(command[0] ?? ''));
  const found = bare.map(async (spec) => dirname((await machine.spawner.resolve(spec)).file));
  const settled = await Promise.allSettled(found);
  return [...new Set(settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])))];
}

/**
 * Has the manager start a service, and waits until its daemons are ready. Throws what kept one of them from it:
 * `ended-before-ready`, `command-not-found`, …, or `autostart-failed` where the service itself did not come up.
 */
export async function startService(context: AutostartContext, target: ServiceTarget, signal?: AbortSignal): Promise<void> {
  const { installer, files, machine } = context;
  const entry = entryOf(context, target);
  files.removeReport(target.id);
  const deadline = machine.clock.monotonicMs() + entry.startTimeoutMs + entry.stopTimeoutMs;
  let refused: unknown;
  try {
    await installer.restart(entry);
  } catch (error) {
    refused = error;
  }
  for (;;) {
    const report = files.report(target.id);
    if (report?.outcome === 'failed') throw failureOf(report);
    if (report?.outcome === 'ready' && (await areKept(context, target))) return;
    // It said itself why it did not come up, or it did not come so far.
    if (refused) throw refused;
    if (signal?.aborted) throw new DaemonError('cancelled', `the start of ${target.id} was cancelled`, { service: target.id });
    if (machine.clock.monotonicMs() >= deadline) throw notUp(target.id, installer.manager);
    await machine.clock.sleep(pollMs, signal);
  }
}

/** Whether every daemon runs, or has run to its end, by this very service. */
async function areKept({ machine }: AutostartContext, target: ServiceTarget): Promise<boolean> {
  for (const name of target.names) {
    const view = await look(machine, { name });
    if (view.state === 'running' && !isKeptBy(view, target.id)) return false;
  }
  return true;
}

export function isKeptBy({ descriptor }: DaemonView, id: string): boolean {
  return descriptor?.supervisedBy?.service?.id === id;
}

function failureOf({ error }: ServiceReport): DaemonError {
  const { code, message, facts } = error ?? { code: 'autostart-failed', message: 'it did not come up', facts: {} };
  return new DaemonError(code as DaemonErrorCode, message, { ...facts });
}

function notUp(id: string, manager: string): DaemonError {
  const message = `${manager} was asked to start ${id}, and nothing came of it in time`;
  return new DaemonError('autostart-failed', message, { service: id, givenUp: exitCodeGivenUp });
}

/** Whether a path of a record leads somewhere. */
export function isThere(path: string): boolean {
  return existsSync(path);
}

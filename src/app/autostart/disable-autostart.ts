import { DaemonError } from '../../domain/daemon-error.js';
import { look } from '../../domain/look.js';
import { stopDaemon } from '../../domain/stop-daemon.js';
import { type AutostartContext, findService, isKeptBy } from './autostart.js';

export interface Disabled {
  readonly names: readonly string[];
  readonly outcome: 'disabled' | 'not-enabled';
  readonly service: string | null;
  /** Those that ran by it, and were stopped with it. */
  readonly stopped: readonly string[];
}

/** Takes the service of a daemon away, and ends what it keeps. Throws `other-project` for one of a project's. */
export async function disableAutostart(context: AutostartContext, name: string): Promise<Disabled> {
  const record = findService(context.files.records(), name);
  if (!record) return { names: [name], outcome: 'not-enabled', service: null, stopped: [] };
  if (record.project !== null) {
    const allowed = `daemonry autostart disable --file ${record.project}`;
    throw new DaemonError('other-project', `${name} is kept with all of its project, by ${record.id}`, { name, allowed });
  }
  return remove(context, record);
}

/** The same of a project. */
export async function disableProject(context: AutostartContext, file: string, names: readonly string[]): Promise<Disabled> {
  const record = context.files.records().find(({ project }) => project === file);
  return record ? remove(context, record) : { names, outcome: 'not-enabled', service: null, stopped: [] };
}

async function remove(context: AutostartContext, { id, names }: { id: string; names: readonly string[] }): Promise<Disabled> {
  const views = await Promise.all(names.map((name) => look(context.machine, { name })));
  await removeService(context, id, names);
  const stopped = views.filter((view) => view.state === 'running' && isKeptBy(view, id)).map(({ place }) => place.name);
  return { names, outcome: 'disabled', service: id, stopped };
}

export async function removeService(context: AutostartContext, id: string, names: readonly string[]): Promise<void> {
  const { installer, files, machine } = context;
  await installer.uninstall(id);
  // Not every manager ends more than the program that it started, nor waits for its end.
  for (const name of names) {
    const view = await look(machine, { name });
    if (view.descriptor && isKeptBy(view, id) && view.state !== 'unknown')
      await stopDaemon(machine, { ref: { name }, instanceId: view.descriptor.instanceId });
  }
  files.remove(id);
}

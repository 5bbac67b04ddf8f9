import { readProject } from '../../../adapters/project/read-project.js';
import { restartByPolicy, type SupervisedMachine, startByPolicy } from '../../../domain/delegate.js';
import { KeptProjectDaemons } from '../../../domain/kept-project-daemons.js';
import { isOf, type Project, type ProjectDaemon } from '../../../domain/project.js';
import type { ProjectDaemons } from '../../../domain/project-daemons.js';
import type { ProjectSighting, ProjectSightings } from '../../../domain/project-plan.js';
import type { Selection } from '../../../domain/project-selection.js';
import { healthProbe } from '../../composition/health-probe.js';
import type { Invocation } from '../invocation.js';
import type { VerbContext } from '../verbs/context.js';

/** The project that is meant: of `--file`, or of the nearest folder from here upwards that has one. */
export function projectOf(invocation: Invocation, { cwd }: Pick<VerbContext, 'cwd'>): Project {
  const file = invocation.value('--file');
  return readProject(file === undefined ? { from: cwd() } : { file });
}

export function selectionOf(invocation: Invocation): Selection {
  return { names: invocation.names, group: invocation.value('--group') };
}

/** The one place where a project's daemons meet what starts, stops and probes them. */
export function projectDaemons(machine: SupervisedMachine): ProjectDaemons {
  return new KeptProjectDaemons(machine, healthProbe(machine), {
    start: (request) => startByPolicy(machine, request),
    restart: (request) => restartByPolicy(machine, request),
  });
}

export async function sightingsOf(home: ProjectDaemons, daemons: readonly ProjectDaemon[]): Promise<ProjectSightings> {
  return byName(await Promise.all(daemons.map(({ name }) => sightingOf(home, name))));
}

/** With what came from the project's file and is not in it any more. */
export async function allSightingsOf(home: ProjectDaemons, project: Project): Promise<ProjectSightings> {
  const named = new Set(project.daemons.map(({ name }) => name.toLowerCase()));
  const others = (await home.names()).filter((name) => !named.has(name.toLowerCase()));
  const ours: ProjectSighting[] = [];
  for (const name of others) {
    const spec = await home.remembered(name);
    if (isOf(project, spec)) ours.push(await sightingOf(home, name));
  }
  return new Map([...byName(ours), ...(await sightingsOf(home, project.daemons))]);
}

async function sightingOf(home: ProjectDaemons, name: string): Promise<ProjectSighting> {
  const { state, phase } = await home.look(name);
  return { name, state, phase, spec: await home.remembered(name) };
}

function byName(sightings: readonly ProjectSighting[]): ProjectSightings {
  return new Map(sightings.map((one) => [one.name.toLowerCase(), one]));
}

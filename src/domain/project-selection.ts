import { DaemonError } from './daemon-error.js';
import { sameName } from './daemon-name.js';
import { type DependencyGraph, withDependencies, withDependents } from './dependency-graph.js';
import type { Project, ProjectDaemon } from './project.js';
import { shown } from './shown.js';

/** What is asked for on the command line: keys or full names, and a group. Nothing at all is everything. */
export interface Selection {
  readonly names: readonly string[];
  readonly group?: string | undefined;
}

export function graphOf(project: Project): DependencyGraph {
  return new Map(project.daemons.map(({ key, dependsOn }) => [key, Object.keys(dependsOn)]));
}

/** The daemons asked for and all that they depend on, in the order of the file. Throws `not-found`. */
export function selectToStart(project: Project, selection: Selection): readonly ProjectDaemon[] {
  return pick(project, withDependencies(graphOf(project), keysOf(project, selection)));
}

/** The daemons asked for and all that depends on them. Throws `not-found`. */
export function selectToStop(project: Project, selection: Selection): readonly ProjectDaemon[] {
  return pick(project, withDependents(graphOf(project), keysOf(project, selection)));
}

/** Whether everything of the project is meant, also what its file does not name any more. */
export function isWhole({ names, group }: Selection): boolean {
  return names.length === 0 && group === undefined;
}

export function keysOf(project: Project, selection: Selection): readonly string[] {
  const { names, group } = selection;
  if (isWhole(selection)) return project.daemons.map(({ key }) => key);
  const named = names.map((name) => find(project, name).key);
  return group === undefined ? named : [...named, ...inGroup(project, group)];
}

function find(project: Project, name: string): ProjectDaemon {
  const { daemons } = project;
  const found = daemons.find((one) => sameName(one.key, name)) ?? daemons.find((one) => sameName(one.name, name));
  if (found) return found;
  throw notInFile(project, `no daemon named ${name}`, `it has ${daemons.map(({ key }) => key).join(', ')}`, { name });
}

function inGroup(project: Project, group: string): readonly string[] {
  const members = project.daemons.filter(({ groups }) => groups.includes(group)).map(({ key }) => key);
  if (members.length > 0) return members;
  const groups = [...new Set(project.daemons.flatMap((one) => one.groups))].sort();
  throw notInFile(project, `no group ${shown(group)}`, groups.length === 0 ? 'it has none' : `it has ${groups.join(', ')}`, {
    group,
  });
}

function notInFile(project: Project, what: string, allowed: string, facts: Record<string, unknown>): DaemonError {
  return new DaemonError('not-found', `${project.file} has ${what}`, { ...facts, file: project.file, allowed });
}

function pick(project: Project, keys: ReadonlySet<string>): readonly ProjectDaemon[] {
  return project.daemons.filter(({ key }) => keys.has(key));
}

import type { DaemonSpec } from './daemon-spec.js';

/** What must be so of a dependency before a daemon is started: it was launched, is ready, has once been healthy, has ended well. */
export type DependencyCondition = 'started' | 'ready' | 'healthy' | 'exited';

export const dependencyConditions: readonly DependencyCondition[] = ['started', 'ready', 'healthy', 'exited'];

/** One daemon of a project file. */
export interface ProjectDaemon {
  /** As the file calls it. */
  readonly key: string;
  /** As the home calls it: `<project>.<key>`. */
  readonly name: string;
  readonly spec: DaemonSpec;
  /** By key. */
  readonly dependsOn: Readonly<Record<string, DependencyCondition>>;
  readonly groups: readonly string[];
}

export interface Project {
  readonly name: string;
  /** Absolute. What its daemons are known by to be this file's, whatever their names. */
  readonly file: string;
  /** In the order of the file. */
  readonly daemons: readonly ProjectDaemon[];
}

const projectShape = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const keyShape = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

export const projectNameRule = 'a project has A-Z a-z 0-9 . _ - in its name, and begins with a letter or digit';
/** Without a dot, so that a full name has one reading. */
export const keyRule = "a daemon's name in a file has A-Z a-z 0-9 _ -, and begins with a letter or digit";

export const isProjectName = (text: string) => projectShape.test(text);
export const isDaemonKey = (text: string) => keyShape.test(text);

/** Whether a remembered spec says that it came from this project file. */
export function isOf(project: Project, spec: DaemonSpec | undefined): boolean {
  return spec?.project === project.file;
}

/** Which file keys a full name may have had: the part after `<project>.`. `undefined` for a daemon of another project. */
export function keyOf(project: Project, name: string): string | undefined {
  const prefix = `${project.name}.`;
  return name.toLowerCase().startsWith(prefix.toLowerCase()) ? name.slice(prefix.length) : undefined;
}

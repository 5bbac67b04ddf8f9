import { homePath } from '../../adapters/files/home.js';
import { sameName } from '../../domain/daemon-name.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { Project } from '../../domain/project.js';
import type { MachineSettings } from '../composition/settings.js';

/** What one service is to keep: a daemon, or all of a project. */
export interface ServiceTarget {
  readonly id: string;
  readonly description: string;
  /** As they are spelled in the home. */
  readonly names: readonly string[];
  readonly project: string | null;
  readonly specs: readonly DaemonSpec[];
}

export function daemonTarget(settings: MachineSettings, name: string, spec: DaemonSpec): ServiceTarget {
  return {
    id: `daemonry-${name}${suffixOf(settings)}`,
    description: `${name}, kept by daemonry`,
    names: [name],
    project: null,
    specs: [spec],
  };
}

export function projectTarget(settings: MachineSettings, project: Project): ServiceTarget {
  return {
    id: `daemonry-project-${project.name}${suffixOf(settings)}`,
    description: `the project ${project.name}, kept by daemonry`,
    names: project.daemons.map(({ name }) => name),
    project: project.file,
    specs: project.daemons.map(({ spec }) => spec),
  };
}

/** Homes other than the usual one have names of their own there, so that two of them never meet. */
function suffixOf({ home, env, platform }: MachineSettings): string {
  const { DAEMONRY_HOME: _home, XDG_STATE_HOME: _state, ...usual } = env;
  return sameName(home, homePath(usual, platform))
    ? ''
    : `-${process.getBuiltinModule('node:crypto').createHash('sha256').update(home).digest('hex').slice(0, 8)}`;
}

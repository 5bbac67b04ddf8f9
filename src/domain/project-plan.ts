import { DaemonError } from './daemon-error.js';
import { type DaemonSpec, differingFields } from './daemon-spec.js';
import type { DaemonState } from './daemon-state.js';
import { wavesOf } from './dependency-graph.js';
import type { Phase } from './descriptor.js';
import { isOf, type Project, type ProjectDaemon } from './project.js';
import { graphOf } from './project-selection.js';

/** What the home shows of one daemon. */
export interface ProjectSighting {
  readonly name: string;
  readonly state: DaemonState;
  /** `backoff`: a supervisor starts it again in a moment. */
  readonly phase: Phase | null;
  /** The remembered spec. */
  readonly spec: DaemonSpec | undefined;
}

export interface PlanStep {
  readonly name: string;
  readonly action: 'start' | 'replace' | 'stop' | 'keep';
  readonly why: string;
  /** What the file says of it; `null` of one that it does not name any more. */
  readonly daemon: ProjectDaemon | null;
}

/** By name, in lower case. */
export type ProjectSightings = ReadonlyMap<string, ProjectSighting>;

/** What a spec calls its fields, and what a file does. */
const keysOfFields: Partial<Record<keyof DaemonSpec, string>> = {
  envFiles: 'env_file',
  passEnv: 'pass_env',
  cleanEnv: 'clean_env',
  readyTimeoutMs: 'ready_timeout',
  onTimeout: 'on_timeout',
  stopSignal: 'stop',
  graceMs: 'stop',
  logMaxBytes: 'logs',
  logKeep: 'logs',
  restartDelayMs: 'restart',
  restartMaxDelayMs: 'restart',
  restartLimit: 'restart',
  restartWindowMs: 'restart',
  stableMs: 'restart',
  successCodes: 'restart',
};

/**
 * What has to be done so that everything is as the file says: first what it does not name any more, then the rest in the
 * order of its dependencies. Once it is done, there is nothing left to do. Throws `other-project`.
 */
export function planApply(project: Project, sightings: ProjectSightings): readonly PlanStep[] {
  return [...leftovers(project, sightings), ...planFile(project, sightings, ({ action }) => action !== 'keep')];
}

/**
 * What has to be done so that these daemons run, in the order of their dependencies: what runs already is left as it is. All
 * that they depend on is among them. `keys` were asked for by name. Throws `other-project`.
 */
export function planUp(
  project: Project,
  selected: readonly ProjectDaemon[],
  keys: ReadonlySet<string>,
  sightings: ProjectSightings,
): readonly (PlanStep & { readonly action: 'start' | 'keep' })[] {
  const steps = planFile({ ...project, daemons: selected }, sightings, ({ action }) => action === 'start');
  // A start of what runs says so, and in what it differs.
  return steps.map((step) => {
    const isOver = step.action === 'keep' && step.why === runToItsEnd && !keys.has(step.daemon?.key ?? '');
    return { ...step, action: isOver ? 'keep' : 'start' };
  });
}

const runToItsEnd = 'what waits for its end runs already';

function planFile(project: Project, sightings: ProjectSightings, isDue: (step: PlanStep) => boolean): readonly PlanStep[] {
  const steps = new Map(project.daemons.map((daemon) => [daemon.key, planOne(project, daemon, sightingOf(sightings, daemon))]));
  const inOrder = wavesOf(graphOf(project)).flat();
  // Whoever waits comes first here: one that need not run is nothing to run another for.
  for (const key of [...inOrder].reverse())
    steps.set(
      key,
      planTask(project, steps.get(key) as PlanStep, (one) => isDue(steps.get(one) as PlanStep)),
    );
  return inOrder.map((key) => steps.get(key) as PlanStep);
}

/** Throws `other-project` where a running daemon has this name and does not come from this file: it is none of ours. */
export function insistOnOurs(project: Project, { name, state, phase, spec }: ProjectSighting): void {
  if ((state !== 'running' && phase !== 'backoff') || isOf(project, spec)) return;
  const other = spec?.project;
  throw other
    ? new DaemonError('other-project', `${name} runs from ${other}, which is the project ${project.name} too`, {
        name,
        file: project.file,
        otherFile: other,
        allowed: 'give one of them another name, as project: in its file',
      })
    : new DaemonError('other-project', `${name} runs, and was not started from ${project.file}`, {
        name,
        file: project.file,
        otherFile: null,
        allowed: `stop it first: daemonry stop ${name}`,
      });
}

/** Whether another daemon waits for its end: then it is no failure that it does not run. */
export function isRunToItsEnd(project: Project, daemon: ProjectDaemon): boolean {
  return project.daemons.some(({ dependsOn }) => waitsForEnd(dependsOn, daemon));
}

function waitsForEnd(dependsOn: ProjectDaemon['dependsOn'], { key }: ProjectDaemon): boolean {
  return dependsOn[key] === 'exited';
}

function planOne(project: Project, daemon: ProjectDaemon, seen: ProjectSighting | undefined): PlanStep {
  const { name } = daemon;
  if (seen) insistOnOurs(project, seen);
  if (!seen || seen.state === 'stopped' || seen.state === 'stale') return { name, action: 'start', why: 'not running', daemon };
  if (seen.state === 'unknown') return { name, action: 'start', why: "whether it runs can't be told from here", daemon };
  const fields = differingKeys(daemon.spec, seen.spec as DaemonSpec);
  if (fields.length === 0) return { name, action: 'keep', why: 'as in the file', daemon };
  return { name, action: 'replace', why: `${fields.join(', ')} ${fields.length === 1 ? 'differs' : 'differ'}`, daemon };
}

/** One that ran to its end runs again only for a daemon that waits for that end and is started itself. */
function planTask(project: Project, step: PlanStep, isDue: (key: string) => boolean): PlanStep {
  const waiting = project.daemons.filter(({ dependsOn }) => waitsForEnd(dependsOn, step.daemon as ProjectDaemon));
  if (step.action !== 'start' || waiting.length === 0) return step;
  return waiting.some(({ key }) => isDue(key)) ? step : { ...step, action: 'keep', why: runToItsEnd };
}

/** What was started from this file, by whatever project name, and is not in it any more. */
function leftovers(project: Project, sightings: ProjectSightings): readonly PlanStep[] {
  const named = new Set(project.daemons.map(({ name }) => name.toLowerCase()));
  return [...sightings]
    .filter(([name, { state, phase, spec }]) => !named.has(name) && (state !== 'stopped' || phase === 'backoff') && isOf(project, spec))
    .map(([, { name }]) => ({ name, action: 'stop', why: 'no longer in the file', daemon: null }));
}

function sightingOf(sightings: ProjectSightings, { name }: ProjectDaemon): ProjectSighting | undefined {
  return sightings.get(name.toLowerCase());
}

function differingKeys(wanted: DaemonSpec, remembered: DaemonSpec): readonly string[] {
  return [...new Set(differingFields(wanted, remembered).map((field) => keysOfFields[field] ?? field))];
}

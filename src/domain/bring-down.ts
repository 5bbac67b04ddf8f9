import { isDaemonError } from './daemon-error.js';
import { reversed, wavesOf } from './dependency-graph.js';
import { isOf, type Project } from './project.js';
import type { ProjectDaemons } from './project-daemons.js';
import { insistOnOurs } from './project-plan.js';
import type { ProjectProgress, ProjectResult } from './project-result.js';
import { graphOf } from './project-selection.js';
import type { StopResult } from './stop-daemon.js';

export interface BringDownContext extends ProjectProgress {
  readonly daemons: ProjectDaemons;
  /** Cancels what has not begun. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Stops daemons side by side, each after all that depends on it. One that can't be stopped keeps nothing else running.
 * What runs under these names but was not started from this file is left alone. Results stand in the order of the stops.
 */
export async function bringDown(project: Project, names: readonly string[], context: BringDownContext): Promise<readonly ProjectResult[]> {
  const wanted = new Set(names);
  const nameOf = new Map(project.daemons.map(({ key, name }) => [key, name]));
  const dependents = reversed(graphOf(project));
  const stops = new Map<string, Promise<ProjectResult>>();
  for (const key of wavesOf(dependents).flat()) {
    const name = nameOf.get(key) as string;
    if (!wanted.delete(name)) continue;
    const before = (dependents.get(key) ?? []).flatMap((one) => stops.get(nameOf.get(one) as string) ?? []);
    stops.set(name, stopAfter(before, project, name, context));
  }
  // No file tells what these depend on, or what on them.
  for (const name of wanted) stops.set(name, stopAfter([], project, name, context));
  return Promise.all(stops.values());
}

async function stopAfter(
  before: readonly Promise<ProjectResult>[],
  project: Project,
  name: string,
  context: BringDownContext,
): Promise<ProjectResult> {
  context.onProgress?.(name, 'waiting');
  await Promise.all(before);
  const result = await stopOne(project, name, context);
  context.onProgress?.(name, result);
  return result;
}

async function stopOne(project: Project, name: string, { daemons, signal, onProgress }: BringDownContext): Promise<ProjectResult> {
  if (signal?.aborted) return { kind: 'cancelled', name, outcome: 'cancelled' };
  try {
    const { state, phase } = await daemons.look(name);
    const spec = await daemons.remembered(name);
    insistOnOurs(project, { name, state, phase, spec });
    // The record of somebody else's daemon, which does not run.
    if (state !== 'unknown' && !isOf(project, spec)) return { kind: 'down', name, outcome: 'already-stopped', stop: untouched(name) };
    onProgress?.(name, 'stopping');
    const stop = await daemons.stop(name, signal);
    return { kind: 'down', name, outcome: stop.outcome, stop };
  } catch (error) {
    if (isDaemonError(error) && error.code === 'cancelled') return { kind: 'cancelled', name, outcome: 'cancelled' };
    return { kind: 'failed', name, outcome: 'failed', error };
  }
}

function untouched(name: string): StopResult {
  return { name, outcome: 'already-stopped', pid: null, escaped: [], beyondReach: [] };
}

import { listWithUsage } from '../../../domain/list-daemons.js';
import type { DaemonView } from '../../../domain/look.js';
import { formatDuration, formatSize } from '../../../domain/quantity.js';
import type { TreeUsage } from '../../../domain/tree-usage.js';
import { type Answer, shown, statusJson } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { table } from '../table.js';
import type { ReadingMachine } from './context.js';

export async function list({ json }: Invocation, { machine }: { readonly machine: ReadingMachine }): Promise<Answer> {
  const { views, usages } = await listWithUsage(machine);
  if (json) return { json: describeDaemons(views, usages), lines: [], exitCode: 0 };
  return { json: null, lines: views.length === 0 ? ['no daemons here'] : daemonTable(views, usages), exitCode: 0 };
}

/** JSON of `list`, and of `status` without a name. */
export function describeDaemons(views: readonly DaemonView[], usages: ReadonlyMap<string, TreeUsage>): Record<string, unknown> {
  const daemons = views.map((view) => {
    const usage = usages.get(view.place.name);
    return {
      ...statusJson(shown(view)),
      uptimeMs: usage ? Math.round(usage.uptimeMs) : null,
      restarts: view.descriptor?.history?.restarts ?? 0,
      cpuPercent: usage ? Math.round(usage.cpuPercent * 10) / 10 : null,
      memoryBytes: usage?.memoryBytes ?? null,
      processes: usage?.processes ?? 0,
      version: view.descriptor?.version ?? null,
      startedAt: view.descriptor?.startedAt ?? null,
      log: view.descriptor?.log ?? view.place.log,
      command: view.descriptor?.command ?? null,
    };
  });
  return { daemons };
}

/** A line for each, below a head. */
export function daemonTable(views: readonly DaemonView[], usages: ReadonlyMap<string, TreeUsage>): readonly string[] {
  const rows = views.map((view) => rowOf(view, usages.get(view.place.name)));
  return table(['NAME', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'CPU', 'MEMORY'], rows);
}

function rowOf(view: DaemonView, usage: TreeUsage | undefined): string[] {
  // Nobody restarts it before the next verb that acts.
  const phase = view.reason === 'supervisor-gone' ? `${view.phase}, no supervisor` : view.phase;
  const state = phase && phase !== 'ready' ? `${view.state} (${phase})` : view.state;
  const restarts = String(view.descriptor?.history?.restarts ?? 0);
  const figures = usage
    ? [formatDuration(usage.uptimeMs), restarts, `${usage.cpuPercent.toFixed(1)}%`, formatSize(usage.memoryBytes)]
    : ['-', restarts, '-', '-'];
  return [view.place.name, state, view.state === 'running' ? String(view.descriptor?.pid) : '-', ...figures];
}

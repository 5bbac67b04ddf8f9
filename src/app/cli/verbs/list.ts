import { listDaemons } from '../../../domain/list-daemons.js';
import type { DaemonView } from '../../../domain/look.js';
import type { Machine, ProcessUsage } from '../../../domain/ports.js';
import { formatDuration, formatSize } from '../../../domain/quantity.js';
import { type Answer, statusJson } from '../answer.js';
import type { Invocation } from '../invocation.js';
import { table } from '../table.js';
import type { VerbContext } from './context.js';

export async function list(_invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const views = await listDaemons(machine);
  const rows: string[][] = [];
  for (const view of views) rows.push(rowOf(view, await usageOf(machine, view)));
  const lines = rows.length === 0 ? ['no daemons here'] : table(['NAME', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'CPU', 'MEMORY'], rows);
  return { json: await describeDaemons(machine, views), lines, exitCode: 0 };
}

/** JSON of `list`, and of `status` without a name. */
export async function describeDaemons(machine: Machine, views: readonly DaemonView[]): Promise<Record<string, unknown>> {
  const daemons: Record<string, unknown>[] = [];
  for (const view of views) {
    const usage = await usageOf(machine, view);
    daemons.push({
      ...statusJson(view),
      uptimeMs: usage ? Math.round(usage.uptimeMs) : null,
      restarts: 0,
      cpuPercent: usage ? Math.round(usage.cpuPercent * 10) / 10 : null,
      memoryBytes: usage?.memoryBytes ?? null,
      version: view.descriptor?.version ?? null,
      startedAt: view.descriptor?.startedAt ?? null,
      log: view.descriptor?.log ?? view.place.log,
      command: view.descriptor?.command ?? null,
    });
  }
  return { daemons };
}

function rowOf(view: DaemonView, usage: ProcessUsage | undefined): string[] {
  const state = view.phase && view.phase !== 'ready' ? `${view.state} (${view.phase})` : view.state;
  const figures = usage
    ? [formatDuration(usage.uptimeMs), '0', `${usage.cpuPercent.toFixed(1)}%`, formatSize(usage.memoryBytes)]
    : ['-', '0', '-', '-'];
  return [view.place.name, state, view.state === 'running' ? String(view.descriptor?.pid) : '-', ...figures];
}

async function usageOf(machine: Machine, view: DaemonView): Promise<ProcessUsage | undefined> {
  return view.state === 'running' && view.descriptor ? machine.inspector.usage(view.descriptor.pid) : undefined;
}

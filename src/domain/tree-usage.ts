import type { DaemonView } from './look.js';
import type { Machine, ProcessRow, ProcessUsage } from './ports.js';

/** What a daemon and all that it has started take together. */
export interface TreeUsage {
  /** Of the leader. */
  readonly uptimeMs: number;
  /** Of one core, over the life of each. */
  readonly cpuPercent: number;
  /** Used so far, by those that live now. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

/** By name, for those that run. One look at the process table for all of them. */
export async function usageOfTrees(
  machine: Pick<Machine, 'inspector'>,
  views: readonly DaemonView[],
): Promise<ReadonlyMap<string, TreeUsage>> {
  const running = views.filter(({ state, descriptor }) => state === 'running' && descriptor !== null);
  const usages = new Map<string, TreeUsage>();
  if (running.length === 0) return usages;
  const members = byLeader(await machine.inspector.survey());
  for (const { place, descriptor } of running) {
    const leader = descriptor?.pid ?? 0;
    const usage = await sum(machine, leader, members.get(leader) ?? new Map(), descriptor?.waitedMs);
    if (usage) usages.set(place.name, usage);
  }
  return usages;
}

type Members = ReadonlyMap<number, ProcessRow>;

/** By the leader's pid: whoever was started by it, and has neither left its session nor ended. */
function byLeader(rows: readonly ProcessRow[]): ReadonlyMap<number, Members> {
  const members = new Map<number, Map<number, ProcessRow>>();
  for (const row of rows) {
    if (row.zombie) continue;
    for (const leader of new Set([row.pid, row.session, row.processGroup])) {
      const some = members.get(leader);
      if (some) some.set(row.pid, row);
      else members.set(leader, new Map([[row.pid, row]]));
    }
  }
  return members;
}

async function sum(
  machine: Pick<Machine, 'inspector'>,
  leader: number,
  members: Members,
  waitedMs: number | undefined,
): Promise<TreeUsage | undefined> {
  let total: TreeUsage | undefined;
  for (const pid of [leader, ...[...members.keys()].filter((one) => one !== leader)]) {
    const seen = members.get(pid)?.usage ?? (await machine.inspector.usage(pid));
    if (!seen) continue;
    const usage = pid === leader ? asDaemon(seen, waitedMs) : seen;
    const cpuMs = (usage.cpuPercent * usage.uptimeMs) / 100;
    total = {
      uptimeMs: total?.uptimeMs ?? usage.uptimeMs,
      cpuPercent: (total?.cpuPercent ?? 0) + usage.cpuPercent,
      cpuMs: (total?.cpuMs ?? 0) + cpuMs,
      memoryBytes: (total?.memoryBytes ?? 0) + usage.memoryBytes,
      processes: (total?.processes ?? 0) + 1,
    };
  }
  return total;
}

/** A process that was spawned in advance is older than the daemon that it became. */
export function asDaemon(usage: ProcessUsage, waitedMs = 0): ProcessUsage {
  const uptimeMs = Math.max(usage.uptimeMs - waitedMs, 0);
  return waitedMs === 0 || uptimeMs === 0 ? usage : { ...usage, uptimeMs, cpuPercent: (usage.cpuPercent * usage.uptimeMs) / uptimeMs };
}

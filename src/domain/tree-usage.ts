import type { DaemonView } from './look.js';
import type { Machine } from './ports.js';

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
  const rows = await machine.inspector.survey();
  for (const { place, descriptor } of running) {
    const leader = descriptor?.pid ?? 0;
    // Whoever was started by it, and has neither left its session nor ended.
    const members = rows.filter((row) => !row.zombie && (row.pid === leader || row.session === leader || row.processGroup === leader));
    const usage = await sum(
      machine,
      leader,
      members.map(({ pid }) => pid),
    );
    if (usage) usages.set(place.name, usage);
  }
  return usages;
}

async function sum(machine: Pick<Machine, 'inspector'>, leader: number, pids: readonly number[]): Promise<TreeUsage | undefined> {
  let total: TreeUsage | undefined;
  for (const pid of [leader, ...pids.filter((one) => one !== leader)]) {
    const usage = await machine.inspector.usage(pid);
    if (!usage) continue;
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

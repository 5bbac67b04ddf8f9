import { readFileSync } from 'node:fs';
import type { MemoryWitness } from '../../domain/descriptor.js';

/**
 * How often the kernel has killed for want of memory in a control group: `oom_kill` of `memory.events` (cgroup v2) or of
 * `memory.oom_control` (v1). `of`: a process, for the group that it is in, or the source that was found for it before.
 */
export function memoryKills(of: number | string): MemoryWitness | undefined {
  for (const source of typeof of === 'string' ? [of] : sourcesOf(of)) {
    const kills = /^oom_kill (\d+)$/m.exec(read(source) ?? '')?.[1];
    if (kills !== undefined) return { source, kills: Number(kills) };
  }
  return undefined;
}

/** The group's path as the process sees it; inside a container that may be the host's, while what is mounted is its own. */
function sourcesOf(pid: number): readonly string[] {
  const lines = (read(`/proc/${pid}/cgroup`) ?? '').split('\n');
  const v1 = lines.map((line) => /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/.exec(line)?.[1]).find((path) => path !== undefined);
  const v2 = lines.map((line) => /^0::(.*)$/.exec(line)?.[1]).find((path) => path !== undefined);
  return [
    ...(v1 === undefined ? [] : [v1, ''].map((path) => `/sys/fs/cgroup/memory${trimmed(path)}/memory.oom_control`)),
    ...(v2 === undefined ? [] : [v2, ''].map((path) => `/sys/fs/cgroup${trimmed(path)}/memory.events`)),
  ];
}

function trimmed(path: string): string {
  return path === '/' ? '' : path;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

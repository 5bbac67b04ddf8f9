import type { Descriptor } from './descriptor.js';
import type { HeldLock, Machine } from './ports.js';
import type { RunCause, RunRecord } from './run-record.js';

/** How many of its last lines a run is remembered by. */
const tailLines = 10;

export interface EndedRun {
  readonly descriptor: Descriptor;
  readonly exitCode?: number | null | undefined;
  readonly signal?: string | null | undefined;
  readonly cause: RunCause;
  readonly decision: string;
  /** Where the next run's output begins in the same log, if it has begun. */
  readonly logEnd?: number | undefined;
}

/**
 * Adds a run to the flight recorder, unless it is there: whoever was about to clear its record may not have come to that.
 * Never fails, since what was done is done, whether it could be written down or not: returns why it could not.
 */
export async function recordRun(machine: Machine, held: HeldLock, run: EndedRun): Promise<string | undefined> {
  const { instanceId, pid, startedAt, log, logOffset } = run.descriptor;
  try {
    const [newest] = await machine.runs.read(held.ref, 1);
    if (newest?.instanceId === instanceId) return undefined;
    const record: RunRecord = {
      instanceId,
      pid,
      startedAt,
      endedAt: machine.clock.wallTime(),
      exitCode: run.exitCode ?? null,
      signal: run.signal ?? null,
      cause: run.cause,
      logTail: await tailOf(machine, log, logOffset, run.logEnd),
      decision: run.decision,
    };
    await machine.runs.append(held, record);
    return undefined;
  } catch (error) {
    // A disk that is full must not keep a daemon from being stopped or restarted.
    return (error as Error).message;
  }
}

async function tailOf(machine: Machine, log: string, from: number, to: number | undefined): Promise<readonly string[]> {
  try {
    // A rotation in between: what it wrote is not in this file any more.
    return to !== undefined && to < from ? [] : await machine.logs.tail(log, tailLines, from, to);
  } catch {
    return [];
  }
}

/** Whether the kernel has killed for want of memory around this process since it was started. */
export async function sawMemoryKill(machine: Pick<Machine, 'inspector'>, { memory }: Descriptor): Promise<boolean> {
  if (memory === undefined) return false;
  const now = await machine.inspector.memoryKills(memory.source);
  return now !== undefined && now.kills > memory.kills;
}

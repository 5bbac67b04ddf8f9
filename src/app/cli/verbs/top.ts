import { listWithUsage } from '../../../domain/list-daemons.js';
import type { TreeUsage } from '../../../domain/tree-usage.js';
import type { Answer } from '../answer.js';
import { Interruption } from '../interruption.js';
import { type Invocation, UsageError } from '../invocation.js';
import { isTerminal, terminal } from '../terminal.js';
import type { VerbContext } from './context.js';
import { daemonTable, describeDaemons } from './list.js';

const defaultIntervalMs = 1_000;
/** To its upper left corner, and clean from there. */
const clearScreen = '\u001b[H\u001b[J';

/** What `list` shows, again and again, with the processor time of the last interval instead of a whole life. */
export async function top(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const intervalMs = invocation.durationMs('--interval') ?? defaultIntervalMs;
  if (intervalMs < 1) throw new UsageError('invalid --interval "0s"', 'it takes more than nothing');
  const rounds = invocation.count('--rounds', 1_000_000);
  if (invocation.json) {
    const { views, usages } = await listWithUsage(machine);
    return { json: describeDaemons(views, usages), lines: [], exitCode: 0 };
  }
  const interruption = new Interruption();
  const screen = isTerminal(1);
  let before: { readonly atMs: number; readonly usages: ReadonlyMap<string, TreeUsage> } | undefined;
  try {
    // Where nobody watches there is no screen to draw anew: one picture, with a whole interval behind it.
    for (let round = 0; round <= (rounds ?? (screen ? Number.POSITIVE_INFINITY : 1)); round++) {
      const { views, usages } = await listWithUsage(machine);
      const atMs = machine.clock.monotonicMs();
      if (before) {
        const lines = views.length === 0 ? ['no daemons here'] : daemonTable(views, sinceThen(usages, before, atMs));
        if (!terminal.out(`${screen ? clearScreen : ''}${lines.join('\n')}\n`)) break;
      }
      before = { atMs, usages };
      if (interruption.signal.aborted) break;
      await machine.clock.sleep(intervalMs, interruption.signal);
      if (interruption.signal.aborted) break;
    }
  } finally {
    interruption.dispose();
  }
  return { json: {}, lines: [], exitCode: 0 };
}

function sinceThen(
  now: ReadonlyMap<string, TreeUsage>,
  before: { readonly atMs: number; readonly usages: ReadonlyMap<string, TreeUsage> },
  atMs: number,
): ReadonlyMap<string, TreeUsage> {
  const wallMs = Math.max(atMs - before.atMs, 1);
  return new Map(
    [...now].map(([name, usage]) => {
      // Of a new run, or where a process has ended since, there is less than before.
      const usedMs = Math.max(usage.cpuMs - (before.usages.get(name)?.cpuMs ?? 0), 0);
      return [name, { ...usage, cpuPercent: (100 * usedMs) / wallMs }];
    }),
  );
}

import { type DaemonView, lookClosely } from './look.js';
import type { Machine, ProcessInspector, ProcessRow } from './ports.js';
import { type TreeUsage, usageOfTrees } from './tree-usage.js';
import { withOwn } from './with-own.js';

type ReadingMachine = Pick<Machine, 'descriptors' | 'inspector' | 'lock' | 'readiness'>;

/** Every daemon of this home as it is now, by name. Starts, writes and locks nothing. */
export async function listDaemons(machine: ReadingMachine): Promise<readonly DaemonView[]> {
  const views: DaemonView[] = [];
  for (const name of await machine.descriptors.names()) views.push(await lookClosely(machine, { name }));
  return views;
}

/** The same, and what those take that run; by one look at the process table for both. */
export async function listWithUsage(
  machine: ReadingMachine,
): Promise<{ readonly views: readonly DaemonView[]; readonly usages: ReadonlyMap<string, TreeUsage> }> {
  const once = { ...machine, inspector: surveyedOnce(machine.inspector) };
  const views = await listDaemons(once);
  return { views, usages: await usageOfTrees(once, views) };
}

/** Whoever was there when the table was read is told from it; whoever was not is looked at: he may have come since. */
function surveyedOnce(inspector: ProcessInspector): ProcessInspector {
  let rows: readonly ProcessRow[] | undefined;
  let byPid: ReadonlyMap<number, ProcessRow> | undefined;
  const survey = async () => {
    rows ??= await inspector.survey();
    return rows;
  };
  const observe = async (pid: number) => {
    byPid ??= new Map((await survey()).map((row) => [row.pid, row]));
    const row = byPid.get(pid);
    return row ? new SeenProcess(row) : inspector.observe(pid);
  };
  return withOwn(inspector, { survey, observe });
}

/** What an observation says of a process in the table. */
class SeenProcess {
  readonly kind = 'process';
  readonly startToken: string;
  readonly zombie: boolean;
  readonly processGroup: number;
  readonly session: number;
  readonly #row: ProcessRow;

  constructor(row: ProcessRow) {
    this.#row = row;
    this.startToken = row.startToken;
    this.zombie = row.zombie;
    this.processGroup = row.processGroup;
    this.session = row.session;
  }

  /** A row may have to look for it, and few ask. */
  get uid(): number {
    return this.#row.uid;
  }
}

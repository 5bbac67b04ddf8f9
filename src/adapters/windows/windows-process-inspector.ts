import { DaemonError } from '../../domain/daemon-error.js';
import type { Observation, Vantage } from '../../domain/identity.js';
import type { DaemonMarks, Environment, ProcessInspector, ProcessRow, ProcessUsage } from '../../domain/ports.js';
import { type Kernel, loadKernel } from './kernel.js';
import { readBootId, readMachineId } from './machine-identity.js';
import { access, environmentOf, hasBegun, hasEnded, timesOf, userOf, withProcess } from './process-handle.js';
import { parentOf, readProcessTable, type TableEntry } from './process-table.js';

/** Windows has no namespaces of either kind that a program could see. */
const noNamespace = 'none';
/** Of a user who can't be read. */
const unknownUser = 0xffff_ffff;
/** Between 1601 and 1970, in ms. */
const epochMs = 11_644_473_600_000;

const { queryLimited, queryAll, readMemory, synchronize } = access;

/** What stays as it is for as long as a process lives. */
interface Nature {
  readonly uid: number;
  readonly marks: DaemonMarks | undefined;
  readonly group: number;
}

/**
 * Asks the kernel: who is there and since when, in one call for all, and through handles for the rest. Windows knows no
 * process groups. A daemon's group here is the process that carries the daemon's marks and whose parent does not, with
 * all that descend from it, each from the parent that was there when it was made.
 */
export class WindowsProcessInspector implements ProcessInspector {
  private here: Vantage | undefined;
  private natures: ReadonlyMap<string, Nature> = new Map();

  constructor(private readonly env: Readonly<Record<string, string | undefined>>) {}

  vantage(): Vantage {
    this.here ??= this.findVantage(loadKernel());
    return this.here;
  }

  observe(pid: number): Observation {
    const kernel = loadKernel();
    const table = byPid(readProcessTable(kernel));
    const entry = table.get(pid);
    // Windows opens a process also by the three numbers after its pid: only the table knows whose a number is.
    if (!entry || isGone(kernel, pid)) return { kind: 'absent' };
    const { uid, group } = this.natureOf(kernel, entry, table);
    return { kind: 'process', startToken: String(entry.created), zombie: false, uid, processGroup: group, session: group };
  }

  isNamespaceInhabited(): undefined {
    return undefined;
  }

  survey(): readonly ProcessRow[] {
    const kernel = loadKernel();
    const table = byPid(readProcessTable(kernel));
    const natures = new Map<string, Nature>();
    const rows: ProcessRow[] = [];
    for (const entry of table.values()) {
      // Pid 0 is no process: it is what a processor does that has nothing to do.
      if (entry.pid === 0 || isGone(kernel, entry.pid)) continue;
      const nature = this.natureOf(kernel, entry, table);
      // Of others, more may be known at the next look: a process that has just been made shows nothing yet.
      if (nature.marks || nature.group !== entry.pid) natures.set(keyOf(entry), nature);
      const parent = parentOf(entry, table)?.pid ?? 0;
      const { uid, group } = nature;
      rows.push({ pid: entry.pid, startToken: String(entry.created), parent, processGroup: group, session: group, uid, zombie: false });
    }
    this.natures = natures;
    return rows;
  }

  marksOf(pid: number): DaemonMarks | undefined {
    const kernel = loadKernel();
    const entry = readProcessTable(kernel).find((one) => one.pid === pid);
    if (!entry || entry.isConsoleHost || isGone(kernel, pid)) return undefined;
    return this.natures.get(keyOf(entry))?.marks ?? readMarks(kernel, pid);
  }

  usage(pid: number): ProcessUsage | undefined {
    const kernel = loadKernel();
    const seen = withProcess(kernel, pid, queryLimited | synchronize, (process) =>
      hasEnded(kernel, process) ? undefined : timesOf(kernel, process),
    );
    const times = seen.kind === 'opened' ? seen.value : undefined;
    const entry = times && readProcessTable(kernel).find((one) => one.pid === pid && one.created === times.created);
    if (!times || !entry) return undefined;
    // For display only, so that the wall clock may have a part in it.
    const uptimeMs = Math.max(0, Date.now() + epochMs - Number(times.created / 10_000n));
    const cpuPercent = uptimeMs === 0 ? 0 : (Number(times.used / 10_000n) / uptimeMs) * 100;
    return { uptimeMs, cpuPercent, memoryBytes: entry.memoryBytes };
  }

  /** Windows has no signals to handle. */
  handles(): undefined {
    return undefined;
  }

  /** Windows has no groups: who belongs to whom only a survey shows. */
  mayHaveMembers(): boolean {
    return true;
  }

  environmentOf(pid: number): Environment | undefined {
    const env = readEnvironment(loadKernel(), pid);
    return env && Object.fromEntries(env);
  }

  /** No such count is kept here. */
  memoryKills(): undefined {
    return undefined;
  }

  ownLineage(): readonly number[] {
    const table = byPid(readProcessTable(loadKernel()));
    const lineage: number[] = [];
    for (let entry = table.get(process.pid); entry && !lineage.includes(entry.pid); entry = parentOf(entry, table)) lineage.push(entry.pid);
    return lineage;
  }

  /** Whether this process has begun to run, and is not held by its starter any more. */
  hasExecuted(pid: number): boolean {
    const kernel = loadKernel();
    const rights = queryLimited | queryAll | readMemory | synchronize;
    const seen = withProcess(kernel, pid, rights, (process) => !hasEnded(kernel, process) && hasBegun(kernel, process));
    if (seen.kind === 'opened') return seen.value;
    // Some programs close their memory to everybody. One that is held has used no processor.
    const used = withProcess(kernel, pid, queryLimited, (process) => timesOf(kernel, process)?.used ?? 0n);
    return used.kind === 'opened' && used.value > 0n;
  }

  private natureOf(kernel: Kernel, entry: TableEntry, table: ReadonlyMap<number, TableEntry>, depth = 0): Nature {
    const known = this.natures.get(keyOf(entry));
    if (known) return known;
    const user = userOfPid(kernel, entry.pid);
    if (entry.isConsoleHost) return { uid: uidOf(user), marks: undefined, group: entry.pid };
    const marks = user === undefined ? undefined : readMarks(kernel, entry.pid);
    const parent = depth < table.size ? parentOf(entry, table) : undefined;
    return { uid: uidOf(user), marks, group: parent ? this.groupBelow(kernel, entry, marks, parent, table, depth) : entry.pid };
  }

  private groupBelow(
    kernel: Kernel,
    entry: TableEntry,
    marks: DaemonMarks | undefined,
    parent: TableEntry,
    table: ReadonlyMap<number, TableEntry>,
    depth: number,
  ): number {
    const above = this.natureOf(kernel, parent, table, depth + 1);
    if (marks) return above.marks?.instanceId === marks.instanceId ? above.group : entry.pid;
    // One that was started with another environment belongs to the daemon all the same.
    const isDaemons = above.marks !== undefined || above.group !== parent.pid;
    return isDaemons ? above.group : entry.pid;
  }

  private findVantage(kernel: Kernel): Vantage {
    const self = readProcessTable(kernel).find((entry) => entry.pid === process.pid);
    if (!self) throw new DaemonError('unsupported', "processes can't be told apart here: Windows does not list this one", {});
    return {
      pid: process.pid,
      startToken: String(self.created),
      bootId: readBootId(kernel),
      pidNamespace: noNamespace,
      timeNamespace: noNamespace,
      host: readMachineId(kernel),
      uid: uidOf(userOfPid(kernel, process.pid)),
      exclusiveHome: this.env.DAEMONRY_EXCLUSIVE_HOME === '1',
    };
  }
}

function byPid(entries: readonly TableEntry[]): ReadonlyMap<number, TableEntry> {
  return new Map(entries.map((entry) => [entry.pid, entry]));
}

function keyOf(entry: TableEntry): string {
  return `${entry.pid}:${entry.created}`;
}

/** Listed, but ended: somebody still holds a handle to it. */
function isGone(kernel: Kernel, pid: number): boolean {
  const seen = withProcess(kernel, pid, synchronize, (process) => hasEnded(kernel, process));
  return seen.kind === 'absent' || (seen.kind === 'opened' && seen.value);
}

function userOfPid(kernel: Kernel, pid: number): string | undefined {
  const seen = withProcess(kernel, pid, queryLimited, (process) => userOf(kernel, process));
  return seen.kind === 'opened' ? seen.value : undefined;
}

/** A user in one number. The last part of a SID alone may be the same for a user of the machine and one of its domain. */
export function uidOf(sid: string | undefined): number {
  if (sid === undefined) return unknownUser;
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(sid).digest().readUInt32LE();
}

function readEnvironment(kernel: Kernel, pid: number): ReadonlyMap<string, string> | undefined {
  const seen = withProcess(kernel, pid, queryLimited | queryAll | readMemory, (process) => environmentOf(kernel, process));
  return seen.kind === 'opened' ? seen.value : undefined;
}

function readMarks(kernel: Kernel, pid: number): DaemonMarks | undefined {
  const env = readEnvironment(kernel, pid);
  const [instanceId, descriptor] = [env?.get('DAEMONRY_INSTANCE'), env?.get('DAEMONRY_DESCRIPTOR')];
  return instanceId === undefined || descriptor === undefined ? undefined : { instanceId, descriptor };
}

import { hostname } from 'node:os';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Observation, Vantage } from '../../domain/identity.js';
import type { DaemonMarks, ProcessInspector, ProcessRow, ProcessUsage } from '../../domain/ports.js';
import { mayHaveMembers } from '../posix/process-group.js';
import { parseBootSession, parsePlatformUuid } from './machine-identity.js';
import { parseProcessTable, type TableRow, tableColumns, toolEnvironment, withSessions } from './process-table.js';
import { hasLeftGate, marksInText, parseCommands } from './process-text.js';
import { type RunTool, runTool } from './run-tool.js';
import { parseUsage, usageColumns } from './usage-text.js';

// By path: a `ps` that comes first in the caller's PATH may be another system's.
const ps = '/bin/ps';
const sysctl = '/usr/sbin/sysctl';
const ioreg = '/usr/sbin/ioreg';

/** macOS has no namespaces of either kind. */
const noNamespace = 'none';

/**
 * Asks `ps`, the one door to other processes that needs no native code: 5 to 20 ms a look. It is setuid root, and some
 * sandboxes forbid that; then every living process is hidden, and nothing is judged dead that is not.
 */
export class MacosProcessInspector implements ProcessInspector {
  private here: Vantage | undefined;
  private marks: ReadonlyMap<number, DaemonMarks> | undefined;

  constructor(
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly run: RunTool = runTool,
  ) {}

  vantage(): Vantage {
    this.here ??= this.findVantage();
    return this.here;
  }

  observe(pid: number): Observation {
    // The system call first: it costs nothing, and its ESRCH is the only proof that nobody is there.
    if (!isThere(pid)) return { kind: 'absent' };
    const row = this.row(pid);
    if (row) {
      const { startToken, zombie, uid, processGroup } = row;
      return { kind: 'process', startToken, zombie, uid, processGroup, session: row.sessionLeader ? pid : 0 };
    }
    // Gone since, or not shown to us: an empty answer means either, also where ps could not be run.
    return isThere(pid) ? { kind: 'hidden' } : { kind: 'absent' };
  }

  isNamespaceInhabited(): undefined {
    return undefined;
  }

  survey(): readonly ProcessRow[] {
    return withSessions(parseProcessTable(this.ask(['-ax', ...tableColumns])));
  }

  /**
   * As far as macOS shows it: since version 11 the environments of its own programs (`/bin/sh`, `/bin/sleep`, all that are
   * signed as restricted) are kept from everybody but themselves, and `ps` shows those of other users to root only.
   * https://github.com/giampaolo/psutil/issues/2084
   */
  marksOf(pid: number): DaemonMarks | undefined {
    if (!this.marks) {
      this.marks = this.findMarks();
      // All are asked for at once, since a survey asks for hundreds in a row; the next turn looks anew.
      setImmediate(() => {
        this.marks = undefined;
      });
    }
    return this.marks.get(pid);
  }

  usage(pid: number): ProcessUsage | undefined {
    return parseUsage(this.ask([...usageColumns, '-p', String(pid)]));
  }

  /** Not to be seen here. */
  handles(): undefined {
    return undefined;
  }

  mayHaveMembers(processGroup: number): boolean {
    return mayHaveMembers(processGroup);
  }

  /** Not to be had without root. */
  environmentOf(): undefined {
    return undefined;
  }

  /** No such count is kept here. */
  memoryKills(): undefined {
    return undefined;
  }

  ownLineage(): readonly number[] {
    const parents = new Map(this.survey().map((row) => [row.pid, row.parent]));
    const lineage: number[] = [];
    const parentOf = (pid: number) => (pid === process.pid ? process.ppid : (parents.get(pid) ?? 0));
    for (let pid = process.pid; pid > 1 && !lineage.includes(pid); pid = parentOf(pid)) lineage.push(pid);
    return lineage;
  }

  /** Whether this process has become its command, and is not the launch gate any more. */
  hasExecuted(pid: number): boolean {
    const [, stat = '', command = ''] =
      /^\s*(\S+)\s+(.*)/.exec(this.ask(['-ww', '-o', 'stat=', '-o', 'command=', '-p', String(pid)])) ?? [];
    return hasLeftGate(stat, command.trimEnd());
  }

  private row(pid: number): TableRow | undefined {
    return parseProcessTable(this.ask([...tableColumns, '-p', String(pid)])).find((row) => row.pid === pid);
  }

  private findMarks(): ReadonlyMap<number, DaemonMarks> {
    const columns = ['-ww', '-o', 'pid=', '-o', 'command='];
    const alone = parseCommands(this.ask(['-ax', ...columns]));
    const marks = new Map<number, DaemonMarks>();
    for (const [pid, text] of parseCommands(this.ask(['-ax', '-E', ...columns]))) {
      const found = marksInText(text, alone.get(pid) ?? '');
      if (found) marks.set(pid, found);
    }
    return marks;
  }

  private ask(args: readonly string[]): string {
    return this.run(ps, args, toolEnvironment).stdout;
  }

  private findVantage(): Vantage {
    const self = this.row(process.pid);
    if (!self) throw new DaemonError('unsupported', `processes can't be told apart here: ${ps} shows nothing (a sandbox?)`, { path: ps });
    return {
      pid: process.pid,
      startToken: self.startToken,
      bootId: this.findBootId(),
      pidNamespace: noNamespace,
      timeNamespace: noNamespace,
      host: parsePlatformUuid(this.run(ioreg, ['-rd1', '-c', 'IOPlatformExpertDevice'], toolEnvironment).stdout) ?? hostname(),
      uid: process.geteuid?.() ?? 0,
      exclusiveHome: this.env.DAEMONRY_EXCLUSIVE_HOME === '1',
    };
  }

  /** Not `kern.boottime` in its place: that is reckoned from the wall clock, so each step of the clock would seem a reboot and end every record. */
  private findBootId(): string {
    const bootId = parseBootSession(this.run(sysctl, ['-n', 'kern.bootsessionuuid'], toolEnvironment).stdout);
    if (bootId === undefined)
      throw new DaemonError('unsupported', "boots can't be told apart here: kern.bootsessionuuid can't be read", { path: sysctl });
    return bootId;
  }
}

/** EPERM means that somebody is there: another user's, or a sandbox in between. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

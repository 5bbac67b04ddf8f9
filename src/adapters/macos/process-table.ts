import type { ProcessRow } from '../../domain/ports.js';

/** What one line of `ps` says. Its `sess` is not asked for: a kernel address that current kernels blank out to 0. */
export interface TableRow {
  readonly pid: number;
  readonly parent: number;
  readonly processGroup: number;
  readonly uid: number;
  readonly zombie: boolean;
  readonly sessionLeader: boolean;
  /** Seconds since 1970 in decimal, as the kernel took them at the fork. */
  readonly startToken: string;
}

/** One `-o` for each column: what follows a `=` belongs to the heading by POSIX, further column names included. */
export const tableColumns: readonly string[] = ['pid', 'ppid', 'pgid', 'uid', 'stat', 'lstart'].flatMap((name) => ['-o', `${name}=`]);

/**
 * What makes the answers of `ps` the same text everywhere: `lstart` is local time in words of the language. `COLUMNS`
 * and `COMMAND_MODE` are left out with everything else, since they would cut lines and change what options mean.
 */
export const toolEnvironment: Readonly<Record<string, string>> = { LC_ALL: 'C', TZ: 'UTC' };

const line = /^\s*(\d+)\s+(\d+)\s+(-?\d+)\s+(-?\d+)\s+(\S+)\s+(.+?)\s*$/;

/** Reads what `ps` printed for `tableColumns`. A line that is none is left out, so that its process counts as unseen. */
export function parseProcessTable(text: string): readonly TableRow[] {
  return text.split('\n').flatMap((each) => parseLine(each) ?? []);
}

/**
 * The same rows with their sessions, as far as they show. A session leader leads the group of its own number too, and a
 * group lies in one session; so whoever is in a living leader's group is in its session. Of all others it is unknown and
 * reads 0, which is nobody's number. An orphaned group is therefore never ended as a daemon's own: too little, where
 * a guess (session = group) would one day end a job of somebody's shell. Members that show their marks are still found.
 */
export function withSessions(rows: readonly TableRow[]): readonly ProcessRow[] {
  const leaders = new Set(rows.filter((row) => row.sessionLeader).map((row) => row.pid));
  return rows.map(({ sessionLeader: _, ...row }) => ({ ...row, session: leaders.has(row.processGroup) ? row.processGroup : 0 }));
}

function parseLine(text: string): TableRow | undefined {
  const [, pid, parent, processGroup, uid, stat = '', started = ''] = line.exec(text) ?? [];
  const startToken = parseStart(started);
  if (pid === undefined || startToken === undefined) return undefined;
  return {
    pid: Number(pid),
    parent: Number(parent),
    processGroup: Number(processGroup),
    // Apple's ps prints the unsigned number as signed: nobody, 4294967294, is -2.
    uid: Number(uid) >>> 0,
    zombie: stat.startsWith('Z'),
    // A flag behind the state; as the state itself, an `s` would not be told from it.
    sessionLeader: stat.slice(1).includes('s'),
    startToken,
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const start = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;

/**
 * `%c` of the C locale, in UTC. Unlike on Linux this is no clock reading that a later step of the clock changes: the kernel
 * keeps the time of the fork. Whole seconds: two processes of one pid would need 99,900 forks in one.
 */
function parseStart(text: string): string | undefined {
  const [, month = '', day, hour, minute, second, year] = start.exec(text) ?? [];
  const monthIndex = months.indexOf(month);
  if (monthIndex < 0) return undefined;
  const ms = Date.UTC(Number(year), monthIndex, Number(day), Number(hour), Number(minute), Number(second));
  return String(ms / 1_000);
}

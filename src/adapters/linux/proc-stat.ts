/** What one line of `/proc/<pid>/stat` says, as far as it is asked for. */
export interface ProcStat {
  readonly pid: number;
  /** Dead, and not reaped. A process whose first thread alone has ended looks the same but for the number of its threads. */
  readonly zombie: boolean;
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  /** Clock ticks, user and system. */
  readonly cpuTicks: number;
  /** Field 22, clock ticks since boot, as it stands. */
  readonly startToken: string;
}

/** The command in field 2 may hold anything, parentheses and newlines too: the fields are counted from its last `)`. */
export function parseProcStat(text: string): ProcStat | undefined {
  const close = text.lastIndexOf(')');
  // Less than half of them is asked for.
  const fields = text
    .slice(close + 2)
    .trimEnd()
    .split(' ', 20);
  const startToken = fields[19];
  if (close < 0 || startToken === undefined) return undefined;
  return {
    pid: Number.parseInt(text, 10),
    zombie: (fields[0] === 'Z' && Number(fields[17]) <= 1) || fields[0] === 'X' || fields[0] === 'x',
    parent: Number(fields[1]),
    processGroup: Number(fields[2]),
    session: Number(fields[3]),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
    startToken,
  };
}

/** Field 2: the name of the program that it has executed, cut off after 15 bytes. Whoever likes may call himself something else. */
export function programName(text: string): string {
  return text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
}

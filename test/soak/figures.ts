import type { LineFigures } from './numbered-lines.js';

/** One look at how much memory a supervisor has. */
export interface MemorySample {
  readonly atMs: number;
  readonly pid: number;
  readonly pssKb: number;
}

export interface MemoryTrend {
  readonly pid: number;
  readonly seconds: number;
  readonly firstKb: number;
  readonly lastKb: number;
  readonly mostKb: number;
  readonly kbPerMinute: number;
  /** Of the later half alone: a program that is still warming up rises in the first. */
  readonly laterKbPerMinute: number;
  /** The means of both halves. */
  readonly halvesKb: readonly [number, number];
}

export interface SoakFigures {
  readonly seed: number;
  readonly seconds: number;
  readonly daemons: number;
  readonly supervisorKills: number;
  readonly verbs: Readonly<Record<string, number>>;
  /** Of verbs that failed in a way in which they may. */
  readonly failures: Readonly<Record<string, number>>;
  readonly slowestVerb: { readonly what: string; readonly ms: number };
  /** Instances that were seen, of all daemons. */
  readonly runs: number;
  readonly looks: number;
  /** How long a process lived whose instance is on no record, at most. */
  readonly longestUnrecordedMs: number;
  readonly memory: MemoryTrend | undefined;
  readonly lines: Readonly<Record<string, LineFigures>>;
}

/** Of it, what came before is a program that warms up. */
const warmShare = 0.25;
const fewestSamples = 8;

/** Of the supervisor that lived longest: a line through its samples (least squares). */
export function trendOf(samples: readonly MemorySample[]): MemoryTrend | undefined {
  const byPid = new Map<number, MemorySample[]>();
  for (const sample of samples) byPid.set(sample.pid, [...(byPid.get(sample.pid) ?? []), sample]);
  const lifeOf = (list: readonly MemorySample[]) => (list.at(-1)?.atMs ?? 0) - (list[0]?.atMs ?? 0);
  const all = [...byPid.values()].sort((a, b) => lifeOf(b) - lifeOf(a))[0] ?? [];
  const list = all.slice(Math.floor(all.length * warmShare));
  const [first] = list;
  const last = list.at(-1);
  if (!first || !last || list.length < fewestSamples) return undefined;
  const halves = [list.slice(0, Math.floor(list.length / 2)), list.slice(Math.floor(list.length / 2))] as const;
  return {
    pid: first.pid,
    seconds: Math.round((last.atMs - first.atMs) / 1_000),
    firstKb: first.pssKb,
    lastKb: last.pssKb,
    mostKb: Math.max(...list.map(({ pssKb }) => pssKb)),
    kbPerMinute: slopeOf(list),
    laterKbPerMinute: slopeOf(halves[1]),
    halvesKb: [meanKbOf(halves[0]), meanKbOf(halves[1])],
  };
}

function meanKbOf(list: readonly MemorySample[]): number {
  return Math.round(list.reduce((sum, { pssKb }) => sum + pssKb, 0) / list.length);
}

function slopeOf(list: readonly MemorySample[]): number {
  const mean = (of: (sample: MemorySample) => number) => list.reduce((sum, sample) => sum + of(sample), 0) / list.length;
  const meanAt = mean(({ atMs }) => atMs);
  const meanKb = mean(({ pssKb }) => pssKb);
  const rise = list.reduce((sum, { atMs, pssKb }) => sum + (atMs - meanAt) * (pssKb - meanKb), 0);
  const run = list.reduce((sum, { atMs }) => sum + (atMs - meanAt) ** 2, 0);
  return Math.round((rise / run) * 60_000);
}

export function describeFigures(figures: SoakFigures): string {
  const { memory } = figures;
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ') || 'none';
  const lines = Object.entries(figures.lines).map(([name, of]) => `${name} ${of.lines} of ${of.runs} runs in ${of.files} files`);
  return [
    `soak: seed ${figures.seed}, ${figures.seconds} s, ${figures.daemons} daemons, ${figures.runs} runs seen in ${figures.looks} looks`,
    `the supervisor was killed ${figures.supervisorKills} times`,
    `verbs: ${counts(figures.verbs)}; the slowest: ${figures.slowestVerb.what}, ${figures.slowestVerb.ms} ms`,
    `verbs that failed as they may: ${counts(figures.failures)}`,
    `longest life of a process on no record: ${figures.longestUnrecordedMs} ms`,
    `numbered lines: ${lines.join('; ') || 'none'}`,
    memory === undefined
      ? 'memory of the supervisor: too few samples of one'
      : `memory of the supervisor (PSS, the longest-lived, ${memory.seconds} s): first ${memory.firstKb} KB, last ${memory.lastKb} KB, most ${memory.mostKb} KB, slope ${memory.kbPerMinute} KB a minute; mean of the earlier half ${memory.halvesKb[0]} KB, of the later ${memory.halvesKb[1]} KB, in which it changed by ${memory.laterKbPerMinute} KB a minute`,
  ].join('\n');
}

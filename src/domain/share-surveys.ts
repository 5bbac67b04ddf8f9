import type { DaemonMarks, Machine, ProcessRow } from './ports.js';
import { withOwn } from './with-own.js';

/** No survey keeps others waiting for longer, however long the one before has taken. */
const longestPauseMs = 50;

/**
 * For many that are ended at once: the process table is read for all of them together, not for each. Whoever asks for a
 * survey gets one that began after he had asked, so that it is worth as much as one of his own; between two surveys as much
 * time passes as the last one took, in which others come to ask. Who is to be signalled is still looked at right before.
 */
export function shareSurveys<M extends Machine>(machine: M): M {
  const shared = new SharedSurveys(machine);
  return { ...machine, inspector: withOwn(machine.inspector, { survey: () => shared.survey(), marksOf: (pid) => shared.marksOf(pid) }) };
}

class SharedSurveys {
  private next: Promise<readonly ProcessRow[]> | undefined;
  private lastTookMs = 0;
  /** By pid, as of the last survey. */
  private tokens: ReadonlyMap<number, string> = new Map();
  /** Of those that carry any: they were started with them, and are no more to become somebody else's. */
  private readonly marks = new Map<number, DaemonMarks>();

  constructor(private readonly machine: Pick<Machine, 'inspector' | 'clock'>) {}

  survey(): Promise<readonly ProcessRow[]> {
    this.next ??= this.surveyForAll();
    return this.next;
  }

  async marksOf(pid: number): Promise<DaemonMarks | undefined> {
    const known = this.marks.get(pid);
    if (known) return known;
    const marks = await this.machine.inspector.marksOf(pid);
    if (marks) this.marks.set(pid, marks);
    return marks;
  }

  private async surveyForAll(): Promise<readonly ProcessRow[]> {
    const { clock, inspector } = this.machine;
    await clock.sleep(Math.min(this.lastTookMs, longestPauseMs));
    // From here on it is too late to be part of this one.
    this.next = undefined;
    const beganMs = clock.monotonicMs();
    const rows = await inspector.survey();
    this.lastTookMs = clock.monotonicMs() - beganMs;
    this.forgetOthers(new Map(rows.map(({ pid, startToken }) => [pid, startToken])));
    return rows;
  }

  /** What was read of a pid that is another's by now. */
  private forgetOthers(tokens: ReadonlyMap<number, string>): void {
    for (const pid of this.marks.keys()) {
      if (tokens.get(pid) === undefined || tokens.get(pid) !== this.tokens.get(pid)) this.marks.delete(pid);
    }
    this.tokens = tokens;
  }
}

import { LogClock } from '../../adapters/files/log-clock.js';
import { type LogLine, LogLines } from '../../adapters/files/log-lines.js';
import { type LogSelection, matching } from './log-selection.js';

/** The lines of one log that are asked for, as they are shown: first what is there, then what comes. */
export class LogView {
  private readonly lines: LogLines;
  private readonly isNoted: boolean;
  private readonly end: number;

  constructor(
    readonly name: string,
    private readonly path: string,
    private readonly selection: LogSelection,
  ) {
    const clock = LogClock.read(path);
    this.isNoted = clock.isNoted;
    const probe = new LogLines(path, 'end');
    this.end = probe.offset;
    probe.close();
    this.lines = new LogLines(path, selection.sinceMs === undefined ? 'oldest' : clock.offsetSince(selection.sinceMs));
  }

  /** All that is there now, or the last of it. An unfinished line is one. */
  all(): readonly string[] {
    return this.read(true);
  }

  /** The same without it: it is shown once it has an end. */
  present(): readonly string[] {
    return this.read(false);
  }

  private read(withUnfinished: boolean): readonly string[] {
    const { count } = this.selection;
    let kept: LogLine[] = [];
    // Up to the end at which it began: a daemon may write faster than anybody reads.
    while (this.lines.offset < this.end) {
      const lines = this.lines.read();
      if (!lines) break;
      // Not pushed as arguments: a chunk of short lines has more of them than a stack takes.
      kept = kept.concat(matching(lines, this.selection.grep));
      if (kept.length > 2 * count) kept = count === 0 ? [] : kept.slice(-count);
    }
    if (withUnfinished) kept = kept.concat(matching(this.lines.rest(), this.selection.grep));
    return count === 0 ? [] : this.stamped(kept.slice(-count));
  }

  /** What was written since; `undefined` where nothing was. */
  more(): readonly string[] | undefined {
    const lines = this.lines.read();
    return lines && this.stamped(matching(lines, this.selection.grep));
  }

  /** What can't be told of its times, though it was asked for. */
  doubts(): readonly string[] {
    const { sinceMs, timestamps } = this.selection;
    if (this.isNoted || (sinceMs === undefined && !timestamps)) return [];
    const shown = sinceMs === undefined ? '' : '; what is shown are the whole files that were written to since then';
    return [`the log of ${this.name} has no times: nobody noted them while it was written${shown}`];
  }

  close(): void {
    this.lines.close();
  }

  private stamped(lines: readonly LogLine[]): readonly string[] {
    if (!this.selection.timestamps || !this.isNoted || lines.length === 0) return lines.map(({ text }) => text);
    const clock = LogClock.read(this.path);
    return lines.map(({ offset, text }) => `${clock.timeOf(offset) ?? '-'} ${text}`);
  }
}

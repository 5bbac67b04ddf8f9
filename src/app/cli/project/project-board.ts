import type { ProjectActivity, ProjectResult } from '../../../domain/project-result.js';
import { isTerminal, terminal } from '../terminal.js';
import { resultLine } from './project-answer.js';

const stderr = 2;
const esc = '\u001b';
const clearBelow = `${esc}[0J`;

type Now = ProjectActivity | ProjectResult;

export interface ProjectBoard {
  readonly onProgress: (name: string, now: Now) => void;
  /** Whether the results have been told one by one. */
  readonly tellsResults: boolean;
  /** Why a result could not be told: nobody's work is broken off for that. */
  readonly failure?: unknown;
  end(): void;
}

/** Where somebody looks, a line for each daemon that changes in place; else each result as soon as it is there. */
export function projectBoard(isQuiet: boolean): ProjectBoard {
  if (isQuiet) return { onProgress: () => {}, tellsResults: true, end: () => {} };
  if (isTerminal(stderr) && process.env.TERM !== 'dumb') return new LiveBoard();
  return new PlainBoard();
}

class PlainBoard implements ProjectBoard {
  readonly tellsResults = true;
  failure: unknown;

  readonly onProgress = (_name: string, now: Now): void => {
    if (typeof now !== 'object') return;
    try {
      terminal.out(`${resultLine(now)}\n`);
    } catch (error) {
      this.failure ??= error;
    }
  };

  end(): void {}
}

class LiveBoard implements ProjectBoard {
  readonly tellsResults = false;
  private readonly lines = new Map<string, string>();
  private shown = 0;

  readonly onProgress = (name: string, now: Now): void => {
    this.lines.set(name, typeof now === 'object' ? resultLine(now) : `${name} ${terminal.paint(stderr, 'dim', now)}`);
    this.draw();
  };

  /** What came of it stands on stdout then. */
  end(): void {
    terminal.err(this.back());
    this.shown = 0;
  }

  /** The last ones, where there are more than the screen has room for: what has scrolled away can't be changed. */
  private draw(): void {
    // A terminal that was never told its size says that it has none.
    const columns = process.stderr.columns || 80;
    const rows = process.stderr.rows || 24;
    const visible = [...this.lines.values()].slice(-Math.max(1, rows - 1)).map((line) => cut(line, columns));
    terminal.err(`${this.back()}${visible.join('\n')}\n`);
    this.shown = visible.length;
  }

  private back(): string {
    return this.shown === 0 ? '' : `${esc}[${this.shown}A\r${clearBelow}`;
  }
}

/** One line that would break into two would put all lines above it out of place. */
function cut(line: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences of colours begin with one.
  const plain = line.replace(/\u001b\[\d+m/g, '');
  return plain.length < columns ? line : `${plain.slice(0, Math.max(0, columns - 2))}…`;
}

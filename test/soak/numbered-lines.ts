import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface LineFigures {
  readonly lines: number;
  readonly runs: number;
  readonly files: number;
}

/**
 * Reads the log of a player that numbers its lines, with all that was rotated, and says what is wrong with it: of each
 * run, the lines must be there from 1 on, whole, once and in order, at least as far as the run says that it came.
 */
export function checkNumberedLines(folder: string, truth: string): { readonly faults: readonly string[]; readonly figures: LineFigures } {
  const files = logFiles(folder);
  const lines = files
    .map((file) => readFileSync(file, 'latin1'))
    .join('')
    .split('\n');
  const faults: string[] = [];
  const last = lines.pop();
  if (last !== '') faults.push(`it ends in the middle of a line: ${JSON.stringify(last)}`);
  const reached = new Map<string, number>();
  lines.forEach((line, index) => {
    const [, run, digits] = /^(\d+-[0-9a-f-]{36}) (\d+) of the lines that must all be there, whole and in order$/.exec(line) ?? [];
    if (run === undefined) {
      faults.push(`line ${index + 1} is torn: ${JSON.stringify(line)}`);
      return;
    }
    const expected = (reached.get(run) ?? 0) + 1;
    if (Number(digits) !== expected) faults.push(`line ${index + 1}: ${run} goes on with ${digits}, not with ${expected}`);
    reached.set(run, Number(digits));
  });
  for (const run of readdirSync(truth).filter((name) => /^\d+-[0-9a-f-]{36}$/.test(name))) {
    const told = Number(readFileSync(join(truth, run), 'utf8'));
    if ((reached.get(run) ?? 0) < told) faults.push(`${run} has written ${told} lines, and ${reached.get(run) ?? 0} of them are there`);
  }
  return { faults, figures: { lines: lines.length, runs: reached.size, files: files.length } };
}

/** The oldest first. */
function logFiles(folder: string): readonly string[] {
  const numberOf = (name: string) => Number(/^daemon\.log\.(\d+)$/.exec(name)?.[1] ?? 0);
  const names = readdirSync(folder).filter((name) => /^daemon\.log(\.\d+)?$/.test(name));
  return names.sort((a, b) => numberOf(b) - numberOf(a)).map((name) => join(folder, name));
}

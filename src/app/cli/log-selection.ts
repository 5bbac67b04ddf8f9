import { inTime } from '../../adapters/bounded-work.js';
import type { LogLine } from '../../adapters/files/log-lines.js';
import { parseDuration } from '../../domain/quantity.js';
import { shown } from '../../domain/shown.js';
import { type Invocation, UsageError } from './invocation.js';

/** What of a log is asked for. */
export interface LogSelection {
  /** How many lines, the last ones. */
  readonly count: number;
  readonly sinceMs: number | undefined;
  readonly grep: string | undefined;
  readonly timestamps: boolean;
}

const defaultLines = 10;
export const mostLines = 1_000_000;
const longestAgoMs = 100 * 365 * 86_400_000;
/** How much text an expression is given at a time, with a bound for each. */
const mostAtOnce = 64 * 1024;

export function readSelection(invocation: Invocation, nowMs: number): LogSelection {
  const sinceMs = invocation.parse('--since', (text) => momentOf(text, nowMs), sinceRule);
  const grep = invocation.value('--grep');
  if (grep !== undefined) checkExpression(grep);
  const count = invocation.count('--lines', mostLines) ?? (sinceMs === undefined ? defaultLines : mostLines);
  return { count, sinceMs, grep, timestamps: invocation.has('--timestamps') };
}

const sinceRule = 'it takes a duration ago, such as 30s, 10m or 2d, or a time such as 2026-11-23T08:00:00Z';
const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

function momentOf(text: string, nowMs: number): number | undefined {
  const ago = parseDuration(text, longestAgoMs);
  if (ago !== undefined) return nowMs - ago;
  const moment = isoTime.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(moment) ? undefined : moment;
}

function checkExpression(pattern: string): void {
  try {
    new RegExp(pattern);
  } catch (error) {
    const [why] = (error as Error).message.split(': ').slice(-1);
    throw new UsageError(`invalid --grep ${shown(pattern)}: ${why}`, 'it takes a regular expression as JavaScript has them');
  }
}

/** The lines that an expression is found in. Throws `UsageError` where it comes to no end on one of them. */
export function matching(lines: readonly LogLine[], pattern: string | undefined): readonly LogLine[] {
  if (pattern === undefined || lines.length === 0) return lines;
  const expression = new RegExp(pattern);
  const found: LogLine[] = [];
  for (let first = 0; first < lines.length; ) {
    let [end, length] = [first, 0];
    while (end < lines.length && length < mostAtOnce) length += (lines[end++] as LogLine).text.length;
    const batch = lines.slice(first, end);
    const matches = inTime(() => batch.filter(({ text }) => expression.test(text.endsWith('\r') ? text.slice(0, -1) : text)));
    if (matches === undefined) throw new UsageError(`--grep ${shown(pattern)} comes to no end on a line of this log`, 'try a simpler one');
    for (const match of matches) found.push(match);
    first = end;
  }
  return found;
}

import type { Answer } from './answer.js';
import type { Failure } from './failure.js';
import type { Colour } from './terminal.js';

/** What goes to which stream, and what a program exits with. */
export interface Rendering {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
}

export interface RenderingOptions {
  readonly json: boolean;
  /** For stderr, where somebody looks. */
  readonly paint: (colour: Colour, text: string) => string;
}

export function renderAnswer({ json: object, lines, warnings = [], exitCode }: Answer, { json, paint }: RenderingOptions): Rendering {
  if (json) return { out: object ? jsonLine(object) : '', err: '', exitCode };
  return {
    out: lines.length > 0 ? `${lines.join('\n')}\n` : '',
    err: warnings.map((warning) => `${paint('yellow', 'warning:')} ${warning}\n`).join(''),
    exitCode,
  };
}

/** `program` fails at `verb`, as far as there was one. */
export function renderFailure(failure: Failure, program: string, verb: string | undefined, { json, paint }: RenderingOptions): Rendering {
  const { code, message, hint, facts } = failure;
  // Its exit code tells how a daemon is, and what can't be read can't be told.
  const isUnreadable = verb === 'status' && (code === 'not-permitted' || code === 'unsafe-home');
  const exitCode = isUnreadable ? 4 : failure.exitCode;
  if (json) return { out: jsonLine({ error: { ...facts, code, message, hint } }), err: '', exitCode };
  const head = `${paint('red', `${program}:`)} ${message}${hint === null ? '' : `; ${hint}`}`;
  const tail = tailOf(facts).map((line) => `  ${paint('dim', '|')} ${line}`);
  return { out: '', err: `${[head, ...errorsOf(facts), ...tail].join('\n')}\n`, exitCode };
}

function jsonLine(object: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ schema: 1, ...object })}\n`;
}

/** All that is wrong with a file, as compilers tell it. One alone is the message itself. */
function errorsOf({ file, errors }: Failure['facts']): readonly string[] {
  if (!Array.isArray(errors) || errors.length < 2) return [];
  return errors.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
}

function tailOf({ logTail }: Failure['facts']): readonly string[] {
  return Array.isArray(logTail) ? (logTail as string[]) : [];
}

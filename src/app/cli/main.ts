import type { Answer } from './answer.js';
import { describeFailure, type Failure } from './failure.js';
import { Invocation, type ParsedArguments } from './invocation.js';
import { readPlainSyntax, splitCommand } from './plain-syntax.js';
import { quickStatus } from './quick-status.js';
import { terminal } from './terminal.js';

declare const DAEMONRY_VERSION: string;

const stderr = 2;

/** The command line from its arguments to its exit code. Nothing that is thrown gets past it. */
export async function main(argv: readonly string[]): Promise<void> {
  // Also where the arguments can't be read: whoever asked for JSON reads nothing else.
  const json = splitCommand(argv).own.includes('--json');
  try {
    process.exitCode = render(await answer(argv), json);
  } catch (error) {
    process.exitCode = renderFailure(describeFailure(error), json, argv);
  }
}

/** What was thrown where nobody waits for it: one line all the same. */
export function giveUp(error: unknown): never {
  process.exit(renderFailure(describeFailure(error), process.argv.includes('--json'), process.argv.slice(2)));
}

async function answer(argv: readonly string[]): Promise<Answer | string> {
  const parsed = readPlainSyntax(argv) ?? (await readByClipanion(argv));
  if (typeof parsed === 'string') return parsed;
  const invocation = new Invocation(parsed);
  const quick = parsed.verb === 'status' ? await quickStatus(invocation) : undefined;
  if (quick) return quick;
  // Loaded on demand: a `status` needs none of it.
  const { runVerb } = await import('./run-verb.js');
  return runVerb(invocation);
}

async function readByClipanion(argv: readonly string[]): Promise<ParsedArguments | string> {
  const { readFullSyntax } = await import('./full-syntax.js');
  const reading = readFullSyntax(argv, DAEMONRY_VERSION);
  return reading.kind === 'text' ? reading.text : reading.parsed;
}

function render(result: Answer | string, json: boolean): number {
  if (typeof result === 'string') {
    terminal.out(`${result}\n`);
    return 0;
  }
  if (json) {
    if (result.json) terminal.out(`${JSON.stringify({ schema: 1, ...result.json })}\n`);
    return result.exitCode;
  }
  if (result.lines.length > 0) terminal.out(`${result.lines.join('\n')}\n`);
  for (const warning of result.warnings ?? []) terminal.err(`${terminal.paint(stderr, 'yellow', 'warning:')} ${warning}\n`);
  return result.exitCode;
}

function renderFailure({ exitCode, code, message, hint, facts }: Failure, json: boolean, argv: readonly string[]): number {
  if (!json || !tellOut(`${JSON.stringify({ schema: 1, error: { ...facts, code, message, hint } })}\n`)) {
    terminal.err(`${terminal.paint(stderr, 'red', 'daemonry:')} ${message}${hint === null ? '' : `; ${hint}`}\n`);
    for (const line of errorsOf(facts)) terminal.err(`${line}\n`);
    for (const line of tailOf(facts)) terminal.err(`  ${terminal.paint(stderr, 'dim', '|')} ${line}\n`);
  }
  // Its exit code tells how a daemon is, and what can't be read can't be told.
  const unreadable = splitCommand(argv).own[0] === 'status' && (code === 'not-permitted' || code === 'unsafe-home');
  return unreadable ? 4 : exitCode;
}

/** False where nothing can be said there. */
function tellOut(text: string): boolean {
  try {
    terminal.out(text);
    return true;
  } catch {
    return false;
  }
}

/** All that is wrong with a file, as compilers tell it. One alone is the message itself. */
function errorsOf({ file, errors }: Failure['facts']): readonly string[] {
  if (!Array.isArray(errors) || errors.length < 2) return [];
  return errors.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
}

function tailOf({ logTail }: Failure['facts']): readonly string[] {
  return Array.isArray(logTail) ? (logTail as string[]) : [];
}

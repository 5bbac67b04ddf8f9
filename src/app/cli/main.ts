import type { Answer } from './answer.js';
import { describeFailure } from './failure.js';
import { Invocation, type ParsedArguments } from './invocation.js';
import { readPlainSyntax, splitCommand } from './plain-syntax.js';
import { readQuickly } from './read-quickly.js';
import { type Rendering, renderAnswer, renderFailure } from './rendering.js';
import { type Colour, terminal } from './terminal.js';
import { daemonryWording } from './wording.js';

declare const DAEMONRY_VERSION: string;

const stderr = 2;

/**
 * The command line from its arguments to its exit code. Nothing that is thrown gets past it. Returns whether the verb has done its
 * work, and not found it done.
 */
export async function main(argv: readonly string[]): Promise<boolean> {
  // Also where the arguments can't be read: whoever asked for JSON reads nothing else.
  const json = splitCommand(argv).own.includes('--json');
  try {
    const answered = await answer(argv);
    process.exitCode = render(answered, json);
    return typeof answered !== 'string' && hasActed(answered);
  } catch (error) {
    process.exitCode = fail(error, json, argv);
    return false;
  }
}

function hasActed({ json, exitCode }: Answer): boolean {
  const { results = [json] } = (json ?? {}) as { readonly results?: readonly unknown[] };
  const outcomes = results.map((result) => (result as { readonly outcome?: unknown } | null)?.outcome);
  return exitCode === 0 && outcomes.some((outcome) => typeof outcome === 'string' && !outcome.startsWith('already-'));
}

/** What was thrown where nobody waits for it: one line all the same. */
export function giveUp(error: unknown): never {
  process.exit(fail(error, process.argv.includes('--json'), process.argv.slice(2)));
}

async function answer(argv: readonly string[]): Promise<Answer | string> {
  const parsed = readPlainSyntax(argv) ?? (await readByClipanion(argv));
  if (typeof parsed === 'string') return parsed;
  const invocation = new Invocation(parsed);
  const quick = await readQuickly(invocation);
  if (quick) return quick;
  // Loaded on demand: who only reads needs none of it.
  const { runVerb } = await import('./run-verb.js');
  return runVerb(invocation);
}

async function readByClipanion(argv: readonly string[]): Promise<ParsedArguments | string> {
  const { readFullSyntax } = await import('./full-syntax.js');
  const reading = readFullSyntax(argv, DAEMONRY_VERSION);
  return reading.kind === 'text' ? reading.text : reading.parsed;
}

function render(result: Answer | string, json: boolean): number {
  if (typeof result !== 'string') return show(renderAnswer(result, { json, paint }));
  return show({ out: `${result}\n`, err: '', exitCode: 0 });
}

function fail(error: unknown, json: boolean, argv: readonly string[]): number {
  const render = (asJson: boolean) =>
    show(renderFailure(describeFailure(error), daemonryWording.program, splitCommand(argv).own[0], { json: asJson, paint }));
  try {
    return render(json);
  } catch {
    // Nothing can be said on stdout: then to people.
    return render(false);
  }
}

function paint(colour: Colour, text: string): string {
  return terminal.paint(stderr, colour, text);
}

function show({ out, err, exitCode }: Rendering): number {
  if (out !== '') terminal.out(out);
  if (err !== '') terminal.err(err);
  return exitCode;
}

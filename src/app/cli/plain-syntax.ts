import type { ParsedArguments } from './invocation.js';
import { findVerb, type OptionSyntax, type VerbSyntax } from './verb-table.js';

/**
 * Reads a well-formed command line in its plain form: `verb`, names and `--option value`, in any order. Whatever is not
 * plain, wrong or asks for help is `undefined`, and left to clipanion, whose loading costs as much as a whole `status`.
 * A test holds the two against each other.
 */
export function readPlainSyntax(argv: readonly string[]): ParsedArguments | undefined {
  const { own, command } = splitCommand(argv);
  const [verb, ...rest] = own;
  const syntax = findVerb(verb);
  if (!syntax || (command && !syntax.command)) return undefined;
  const names: string[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string[]>();
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] as string;
    if (!word.startsWith('-')) {
      names.push(word);
      continue;
    }
    const option = syntax.options.find(({ flag, short }) => flag === word || short === word);
    if (!option) return undefined;
    if (option.kind === 'flag') {
      flags.add(option.flag);
      continue;
    }
    const value = rest[++index];
    if (value === undefined || value.startsWith('-') || !take(values, option, value)) return undefined;
  }
  return fitsNames(syntax, names.length) ? { verb: syntax.verb, names, flags, values, command } : undefined;
}

/** Everything after the first `--` is the daemon's own, whatever it looks like. */
export function splitCommand(argv: readonly string[]): { own: readonly string[]; command: readonly string[] | undefined } {
  const dashes = argv.indexOf('--');
  return dashes < 0
    ? { own: verbFirst(argv), command: undefined }
    : { own: verbFirst(argv.slice(0, dashes)), command: argv.slice(dashes + 1) };
}

/** `--home DIR` and `--json` may stand before the verb, too. */
function verbFirst(words: readonly string[]): readonly string[] {
  let at = 0;
  for (; at < words.length; at++) {
    const word = words[at] as string;
    if (word === '--home') at++;
    else if (word !== '--json' && !word.startsWith('--home=')) break;
  }
  return at < words.length ? [words[at] as string, ...words.slice(0, at), ...words.slice(at + 1)] : words;
}

export function fitsNames(syntax: VerbSyntax, count: number): boolean {
  switch (syntax.names) {
    case 'none':
      return count === 0;
    case 'one':
      return count === 1;
    case 'optional':
      return count <= 1;
    case 'some':
      return count >= 1;
    case 'any':
      return true;
  }
}

function take(values: Map<string, string[]>, option: OptionSyntax, value: string): boolean {
  const before = values.get(option.flag);
  if (before && option.kind === 'value') return false;
  values.set(option.flag, [...(before ?? []), value]);
  return true;
}

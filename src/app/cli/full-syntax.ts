import { Cli, Command, type CommandClass, Option } from 'clipanion';
import { shown } from '../../domain/shown.js';
import { helpText } from './help.js';
import { type ParsedArguments, UsageError } from './invocation.js';
import { fitsNames, splitCommand } from './plain-syntax.js';
import { findVerb, type OptionSyntax, type VerbSyntax, verbTable } from './verb-table.js';

export type Reading = { readonly kind: 'arguments'; readonly parsed: ParsedArguments } | { readonly kind: 'text'; readonly text: string };

/** Reads any command line with clipanion. Help and version are texts; throws `UsageError` for what can't be read. */
export function readFullSyntax(argv: readonly string[], version: string): Reading {
  const { own, command } = splitCommand(argv);
  const [first] = own;
  if (first === '--version' || first === '-v' || first === '-V') return { kind: 'text', text: version };
  if (first === 'help') return { kind: 'text', text: helpText(findVerb(own[1])) };
  if (own.includes('--help') || own.includes('-h')) return { kind: 'text', text: helpText(own.map(findVerb).find(Boolean)) };
  const missing = lackOfVerb(own, command);
  if (missing) throw new UsageError(missing, verbsRule);
  const syntax = findVerb(first);
  if (!syntax) throw new UsageError(`unknown verb ${shown(first)}`, verbsRule);
  if (command && !syntax.command) throw new UsageError(`${syntax.verb} takes no command after --`);
  return {
    kind: 'arguments',
    parsed: {
      ...readOwn(
        syntax,
        own.flatMap((word) => detachValue(syntax, word)),
      ),
      command,
    },
  };
}

/** What goes with every verb is no verb: where it comes first, nothing else was there to come first. */
function lackOfVerb([first]: readonly string[], command: readonly string[] | undefined): string | undefined {
  if (first === undefined) return command ? 'no verb is given before --' : 'no verb is given';
  const option = first === '--json' ? first : /^--home(?==|$)/.exec(first)?.[0];
  return option && `no verb is given with ${option}`;
}

const verbsRule = `verbs are ${verbTable.map(({ verb }) => verb).join(', ')}; see daemonry --help`;

/** `-n3` as `-n 3`: clipanion takes it for three flags. */
function detachValue(syntax: VerbSyntax, word: string): readonly string[] {
  const option = syntax.options.find(({ short, kind }) => short !== undefined && kind === 'value' && word.startsWith(short));
  return option?.short && word.length > 2 && word[2] !== '=' ? [option.short, word.slice(2)] : [word];
}

interface VerbCommand {
  readonly names: readonly string[];
  readonly [option: `--${string}`]: string | boolean | readonly string[] | undefined;
}

function readOwn(syntax: VerbSyntax, own: readonly string[]): Omit<ParsedArguments, 'command'> {
  const cli = new Cli({ binaryName: 'daemonry' });
  cli.register(commandClass(syntax));
  let command: VerbCommand;
  try {
    command = cli.process([...own]) as unknown as VerbCommand;
  } catch (error) {
    throw explain(syntax, own, error);
  }
  if (!fitsNames(syntax, command.names.length)) throw wrongNames(syntax, command.names);
  const flags = new Set<string>();
  const values = new Map<string, readonly string[]>();
  for (const { flag } of syntax.options) {
    const value = command[flag];
    if (value === true) flags.add(flag);
    else if (typeof value === 'string') values.set(flag, [value]);
    else if (Array.isArray(value)) values.set(flag, value);
  }
  return { verb: syntax.verb, names: command.names, flags, values };
}

/** A class for each verb, made from the table. Its options stand under their own flags. */
function commandClass(syntax: VerbSyntax): CommandClass {
  const options = () => syntax.options.map((option) => [option.flag, declare(option)] as const);
  class VerbCommandClass extends Command {
    static override paths = [[syntax.verb]];
    names = Option.Rest({ name: syntax.nameLabel ?? 'name' });

    constructor() {
      super();
      Object.assign(this, Object.fromEntries(options()));
    }

    async execute(): Promise<void> {}
  }
  return VerbCommandClass;
}

function declare({ flag, short, kind, summary }: OptionSyntax): unknown {
  const names = short ? `${short},${flag}` : flag;
  if (kind === 'flag') return Option.Boolean(names, { description: summary });
  return kind === 'value' ? Option.String(names, { description: summary }) : Option.Array(names, { description: summary });
}

function wrongNames(syntax: VerbSyntax, names: readonly string[]): UsageError {
  if (names.length === 0) return new UsageError(`${syntax.verb} needs ${syntax.nameLabel ?? 'the name of a daemon'}`);
  const hint = syntax.command ? 'a command stands after --' : undefined;
  const surplus = names.slice(syntax.names === 'none' ? 0 : 1).map((name) => shown(name));
  return new UsageError(`${syntax.verb} takes ${syntax.names === 'none' ? 'no name' : 'one name'}, not also ${surplus.join(' ')}`, hint);
}

/** One line that names the word, where clipanion lists every command that might have been meant. */
function explain(syntax: VerbSyntax, own: readonly string[], error: unknown): UsageError {
  const allowed = syntax.options.map(({ flag }) => flag).join(', ');
  for (const [index, word] of own.entries()) {
    if (!word.startsWith('-')) continue;
    const [flag] = word.split('=', 1);
    const option = syntax.options.find((one) => one.flag === flag || one.short === flag);
    if (!option) return new UsageError(`unknown option ${shown(flag)} for ${syntax.verb}`, `allowed are ${allowed}`);
    const next = own[index + 1];
    const hasValue = word.includes('=') || (next !== undefined && !next.startsWith('-'));
    if (option.kind !== 'flag' && !hasValue) {
      return new UsageError(`${option.flag} needs a value${next === undefined ? '' : `, which ${shown(next)} is not`}`);
    }
    if (option.kind === 'flag' && word.includes('=')) return new UsageError(`${option.flag} takes no value`);
  }
  const message = error instanceof Error ? (error.message.split('\n')[0] as string) : String(error);
  return new UsageError(message);
}

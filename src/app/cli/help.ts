import { table } from './table.js';
import { type OptionSyntax, type VerbSyntax, verbTable } from './verb-table.js';

/** The help of one verb, or the overview. */
export function helpText(syntax: VerbSyntax | undefined): string {
  return (syntax ? verbHelp('daemonry', syntax) : overview()).join('\n');
}

function overview(): readonly string[] {
  return [
    'Usage: daemonry <verb> [name] [options] [-- <command> [args…]]',
    '',
    ...verbList(verbTable),
    '',
    'daemonry <verb> --help tells its options. --home DIR and --json go with every verb.',
  ];
}

/** Each with what it does. */
export function verbList(table: readonly VerbSyntax[]): readonly string[] {
  return indented(table.map(({ verb, summary }) => [verb, summary]));
}

/** `command`: what stands before the verb. */
export function verbHelp(command: string, syntax: VerbSyntax): readonly string[] {
  const { verb, summary, options } = syntax;
  return [
    `Usage: ${command} ${verb}${argumentsOf(syntax)}`,
    '',
    `${sentence(summary)}.`,
    '',
    ...indented(options.map((one) => [nameOf(one), one.summary])),
  ];
}

function argumentsOf({ names, nameLabel = '<name>', command }: VerbSyntax): string {
  const after = { none: '', one: ` ${nameLabel}`, optional: ` [${nameLabel}]`, some: ` ${nameLabel}…`, any: ` ${nameLabel}…` }[names];
  return `${after} [options]${command ? ' [-- <command> [args…]]' : ''}`;
}

function nameOf({ flag, short, kind, label = 'VALUE' }: OptionSyntax): string {
  const value = kind === 'flag' ? '' : ` ${label}`;
  return `${short ? `${short}, ` : ''}${flag}${value}${kind === 'list' ? ' …' : ''}`;
}

function indented(rows: readonly (readonly string[])[]): readonly string[] {
  const [head = [], ...rest] = rows;
  return table(head, rest).map((line) => `  ${line}`);
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

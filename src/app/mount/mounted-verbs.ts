import { parseArgs } from 'node:util';
import { shown } from '../../domain/shown.js';
import { verbHelp, verbList } from '../cli/help.js';
import { Invocation, UsageError } from '../cli/invocation.js';
import type { OptionSyntax, VerbSyntax } from '../cli/verb-table.js';

const json: OptionSyntax = { flag: '--json', kind: 'flag', summary: 'answer with one JSON object' };
const grace: OptionSyntax = { flag: '--grace', kind: 'value', label: '10s', summary: 'how long it may take to end before it is killed' };

function verb(name: string, summary: string, ...options: readonly OptionSyntax[]): VerbSyntax {
  return { verb: name, summary, names: 'none', command: false, options: [json, ...options] };
}

/** The verbs of a mounted daemon. They take no name: there is one daemon. */
export const mountedVerbs: readonly VerbSyntax[] = [
  verb('start', 'start the daemon and wait until it is ready', {
    flag: '--force',
    kind: 'flag',
    summary: 'clear a record that can not be judged from here; signals nobody',
  }),
  verb('stop', 'stop the daemon, all of its processes', grace),
  verb('restart', 'stop the daemon and start it again', grace),
  verb('status', 'tell how the daemon is: exits with 0 running, 1 stale, 3 stopped, 4 unknown'),
  verb(
    'logs',
    "show the daemon's last output",
    { flag: '--follow', short: '-f', kind: 'flag', summary: 'go on with what it writes, over rotation and restart' },
    { flag: '--lines', short: '-n', kind: 'value', label: '10', summary: 'how many lines' },
  ),
];

/** What is asked for: a verb, or a text. Throws `UsageError`. `command`: what stands before the verb, as in `acme daemon`. */
export function readMountedVerb(argv: readonly string[], command: string): Invocation | string {
  // `--json` may stand before the verb, too.
  const at = argv.findIndex((word) => word !== '--json');
  const [first, ...rest] = at < 0 ? [] : [...argv.slice(at), ...argv.slice(0, at)];
  const isHelp = argv.some((word) => word === '--help' || word === '-h') || first === 'help';
  const syntax = mountedVerbs.find(({ verb: name }) => name === (first === 'help' ? rest[0] : first));
  if (isHelp) return (syntax ? verbHelp(command, syntax) : overview(command)).join('\n');
  const names = `verbs are ${mountedVerbs.map(({ verb: name }) => name).join(', ')}`;
  if (first === undefined) throw new UsageError('no verb is given', names);
  if (!syntax) throw new UsageError(`unknown verb ${shown(first)}`, names);
  return readOptions(syntax, rest);
}

function overview(command: string): readonly string[] {
  return [
    `Usage: ${command} <verb> [options]`,
    '',
    ...verbList(mountedVerbs),
    '',
    `${command} <verb> --help tells its options. --json goes with every verb.`,
  ];
}

/** Taken apart by Node, and judged here: one line that names the word, as for every other mistake. */
function readOptions({ verb: name, options }: VerbSyntax, words: readonly string[]): Invocation {
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(options.map((option) => [option.flag.slice(2), shapeOf(option)])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const flags = new Set<string>();
  const values = new Map<string, readonly string[]>();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') throw new UsageError(`${name} takes no ${shown(token.value)}`, 'there is one daemon');
    const option = options.find(({ flag }) => flag === `--${token.name}`);
    if (!option)
      throw new UsageError(
        `unknown option ${shown(token.rawName)} for ${name}`,
        `allowed are ${options.map(({ flag }) => flag).join(', ')}`,
      );
    const { flag, kind } = option;
    if (kind === 'flag') {
      if (token.value !== undefined) throw new UsageError(`${flag} takes no value`);
      flags.add(flag);
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith('-'))) {
      throw new UsageError(`${flag} needs a value${token.value === undefined ? '' : `, which ${shown(token.value)} is not`}`);
    } else {
      values.set(flag, [token.value]);
    }
  }
  return new Invocation({ verb: name, names: [], flags, values, command: undefined });
}

function shapeOf({ kind, short }: OptionSyntax): { type: 'boolean' | 'string'; short?: string } {
  return { type: kind === 'flag' ? 'boolean' : 'string', ...(short ? { short: short.slice(1) } : {}) };
}

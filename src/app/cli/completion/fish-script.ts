import {
  type CompletionOption,
  type CompletionVerb,
  commonOptions,
  helpFlags,
  lines,
  quoted,
  shells,
  shellsVerb,
  takesDaemons,
} from './completion-verb.js';

/** One `complete` line for each thing that may be completed. */
export function fishScript(verbs: readonly CompletionVerb[]): string {
  const common = commonOptions(verbs);
  const skipping = common.filter(({ takesValue }) => takesValue).flatMap(({ flags }) => flags);
  const rules = [
    ...verbs.map(({ name, summary }) => `complete -c daemonry -n __daemonry_at -a ${name} -d ${fishText(summary)}`),
    ...common.map((option) => fishOption('__daemonry_at', option)),
    ...helpFlags.map(({ flag, summary }) => `complete -c daemonry -n __daemonry_at -l ${flag.slice(2)} -d ${fishText(summary)}`),
    ...verbs.flatMap(fishVerb),
    `complete -c daemonry -n __daemonry_past_dashes -a '(__daemonry_command)'`,
  ];
  return `# Completion of daemonry for fish. In ~/.config/fish/config.fish: daemonry completion fish | source

function __daemonry_past_dashes
    contains -- -- (commandline -opc)
end

# Whether the verb so far is this one, or none yet where none is named.
function __daemonry_at
    __daemonry_past_dashes; and return 1
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l verb
    set -l skip 0
    for token in $tokens
        if test $skip = 1
            set skip 0
        else if contains -- $token ${skipping.join(' ')}
            set skip 1
        else if not string match -q -- '-*' $token
            set verb $token
            break
        end
    end
    test "$verb" = "$argv[1]"
end

function __daemonry_names
    set -l tokens (commandline -opc)
    set -l home
    if set -l at (contains -i -- --home $tokens)
        set home --home (string replace -r '^~(?=/|$)' $HOME -- $tokens[(math $at + 1)])
    end
    command daemonry completion --names $home 2>/dev/null </dev/null
end

# The command after --, by its own completion.
function __daemonry_command
    set -l tokens (commandline -opc)
    set -l at (contains -i -- -- $tokens)
    set -e tokens[1..$at]
    complete -C (string join ' ' -- (string escape -- $tokens) (commandline -ct))
end

complete -c daemonry -e
complete -c daemonry -f
${lines(rules, '')}`;
}

function fishVerb(verb: CompletionVerb): readonly string[] {
  const condition = quoted(`__daemonry_at ${verb.name}`);
  const options = verb.options.map((option) => fishOption(condition, option));
  if (verb.name === shellsVerb) return [...options, `complete -c daemonry -n ${condition} -a '${shells.join(' ')}'`];
  if (verb.words) options.push(`complete -c daemonry -n ${condition} -a '${verb.words.join(' ')}'`);
  return takesDaemons(verb) ? [...options, `complete -c daemonry -n ${condition} -a '(__daemonry_names)'`] : options;
}

function fishOption(condition: string, { flags, summary, values, takesValue }: CompletionOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  return `complete -c daemonry -n ${condition} ${names}${takesValue ? ` ${fishValue(values)}` : ''} -d ${fishText(summary)}`;
}

function fishValue(values: CompletionOption['values']): string {
  if (values === 'file') return '-r -F';
  if (values === 'folder') return `-x -a '(__fish_complete_directories)'`;
  return values === undefined ? '-x' : `-x -a ${fishText(values.join(' '))}`;
}

/** Inside single quotes fish knows two escapes, and so no way to close and open them again as a POSIX shell would. */
function fishText(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

export type CompletionShell = 'bash' | 'zsh' | 'fish';

export interface CompletionOption {
  /** All spellings, such as `-f` and `--follow`. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** What may stand as its value: these words, or a path. A word that ends in a colon goes on. */
  readonly values?: readonly string[] | 'file' | 'folder' | undefined;
  readonly takesValue: boolean;
}

export interface CompletionVerb {
  readonly name: string;
  readonly summary: string;
  readonly takesName: boolean;
  readonly options: readonly CompletionOption[];
}

/**
 * A script that completes verbs, options, their values and the names of daemons, and after `--` a command with its
 * own arguments. The names come from `daemonry completion --names`; where that fails, there are none.
 */
export function completionScript(shell: CompletionShell, verbs: readonly CompletionVerb[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(verbs);
    case 'zsh':
      return zshScript(verbs);
    case 'fish':
      return fishScript(verbs);
  }
}

/** The one verb whose word after it is no daemon. */
const shellsVerb = 'completion';
const shells: readonly CompletionShell[] = ['bash', 'zsh', 'fish'];

const helpFlags = [
  { flag: '--help', summary: 'show the help' },
  { flag: '--version', summary: 'show the version' },
];

const takesDaemons = (verb: CompletionVerb) => verb.takesName && verb.name !== shellsVerb;

/** Options that may stand before the verb too, since every verb has them. */
function commonOptions(verbs: readonly CompletionVerb[]): readonly CompletionOption[] {
  const [first, ...others] = verbs;
  const has = (verb: CompletionVerb, flag: string) => verb.options.some(({ flags }) => flags.includes(flag));
  return (first?.options ?? []).filter(({ flags }) => others.every((verb) => flags.every((flag) => has(verb, flag))));
}

/** In single quotes, which bash, zsh and POSIX shells read alike. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function lines(parts: readonly string[], indent: string): string {
  return parts.map((part) => `${indent}${part}\n`).join('');
}

// bash: written for 3.2, which macOS has.

function bashScript(verbs: readonly CompletionVerb[]): string {
  const common = commonOptions(verbs);
  const takes = [
    ...verbs.flatMap((verb) => verb.options.map((option) => bashTakes(verb.name, option))),
    ...common.map((option) => bashTakes('', option)),
  ];
  const flags = verbs.map(({ name, options }) => `${name}) words=${quoted(options.flatMap((option) => option.flags).join(' '))} ;;`);
  const before = [...common.flatMap((option) => option.flags), ...helpFlags.map(({ flag }) => flag)];
  const daemons = verbs.filter(takesDaemons).map(({ name }) => name);
  return `# Completion of daemonry for bash. In ~/.bashrc: source <(daemonry completion bash)

# Only what can be a name: what is offered here is put into the command line as it is.
_daemonry_names() {
  local name
  command daemonry completion --names "$@" 2>/dev/null </dev/null | while IFS= read -r name; do
    [[ $name == *[!A-Za-z0-9._-]* ]] || printf '%s\\n' "$name"
  done
}

# What an option of a verb takes: kind is none, text, file, folder or words.
_daemonry_takes() {
  kind=none words=
  case $1:$2 in
${lines(
  takes.filter((line) => line !== ''),
  '    ',
)}  esac
}

_daemonry_flags() {
  case $1 in
${lines([...flags, `'') words=${quoted(before.join(' '))} ;;`, `*) words= ;;`], '    ')}  esac
}

# Takes over the lines that begin with the word so far.
_daemonry_offer() {
  local line
  while IFS= read -r line; do
    [[ -n $line && $line == "$cur"* ]] && COMPREPLY+=("$line")
  done
}

_daemonry_paths() {
  type compopt >/dev/null 2>&1 && compopt -o filenames 2>/dev/null
  _daemonry_offer < <(compgen "$1" -- "$cur")
}

# The command after --, by its own completion where bash-completion is there to find it.
_daemonry_command() {
  if declare -F _comp_command_offset >/dev/null; then
    _comp_command_offset "$1"
  elif declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    _daemonry_offer < <(compgen -c -- "$cur")
  else
    _daemonry_paths -f
  fi
}

_daemonry() {
  local IFS=$' \\t\\n' cur=\${COMP_WORDS[COMP_CWORD]} verb='' kind=none words='' pending='' word index
  local -a home
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    # --option=value comes in three words.
    [[ $word == '=' ]] && continue
    if [[ -n $pending ]]; then
      [[ $pending == --home ]] && home=(--home "\${word/#\\~/$HOME}")
      pending=''
    elif [[ $word == -- ]]; then
      _daemonry_command $((index + 1))
      return
    elif [[ $word == -* ]]; then
      _daemonry_takes "$verb" "$word"
      [[ $kind == none ]] || pending=$word
    elif [[ -z $verb ]]; then
      verb=$word
    fi
  done
  # Colons part words too: the rest of port:80 is no word of its own.
  [[ $cur == : || \${COMP_WORDS[COMP_CWORD - 1]} == : ]] && return

  if [[ -n $pending ]]; then
    [[ $cur == '=' ]] && cur=''
    _daemonry_takes "$verb" "$pending"
    case $kind in
      file) _daemonry_paths -f ;;
      folder) _daemonry_paths -d ;;
      words) _daemonry_offer < <(printf '%s\\n' $words) ;;
    esac
    if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *: ]]; then
      type compopt >/dev/null 2>&1 && compopt -o nospace 2>/dev/null
    fi
  elif [[ $cur == -* ]]; then
    _daemonry_flags "$verb"
    _daemonry_offer < <(printf '%s\\n' $words)
  else
    case $verb in
      '') _daemonry_offer < <(printf '%s\\n' ${verbs.map(({ name }) => name).join(' ')}) ;;
      ${shellsVerb}) _daemonry_offer < <(printf '%s\\n' ${shells.join(' ')}) ;;
${daemons.length > 0 ? `      ${daemons.join('|')}) _daemonry_offer < <(_daemonry_names \${home[@]+"\${home[@]}"}) ;;\n` : ''}    esac
  fi
  return 0
}

complete -F _daemonry daemonry
`;
}

function bashTakes(verb: string, { flags, values, takesValue }: CompletionOption): string {
  if (!takesValue) return '';
  const pattern = flags.map((flag) => `${verb}:${flag}`).join('|');
  if (values === undefined) return `${pattern}) kind=text ;;`;
  return typeof values === 'string' ? `${pattern}) kind=${values} ;;` : `${pattern}) kind=words words=${quoted(values.join(' '))} ;;`;
}

// zsh

function zshScript(verbs: readonly CompletionVerb[]): string {
  const before = [
    ...commonOptions(verbs).map(zshOption),
    ...helpFlags.map(({ flag, summary }) => quoted(`(- *)${flag}[${zshText(summary)}]`)),
    // Options after the verb are the verb's, not these.
    quoted('(-): :->verb'),
    quoted('(-)*:: :->rest'),
  ];
  return `#compdef daemonry
# Completion of daemonry for zsh. In a folder of $fpath as _daemonry, or after compinit: source <(daemonry completion zsh)

_daemonry_names() {
  local -a names expl
  names=(\${(f)"$(command daemonry completion --names $daemonry_home 2>/dev/null </dev/null)"})
  (( $#names )) && _wanted daemons expl daemon compadd -a names
}

# A word that ends in a colon goes on, so no space after it.
_daemonry_words() {
  local -a whole=(\${@:#*:}) open=(\${(M)@:#*:}) expl
  local -i ret=1
  (( $#whole )) && _wanted values expl value compadd -a whole && ret=0
  (( $#open )) && _wanted values expl value compadd -S '' -a open && ret=0
  return ret
}

_daemonry() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a verbs daemonry_home
  local -i at=\${words[(i)--]}
  # After -- stands a command with arguments of its own.
  if (( at < CURRENT )); then
    words=("\${(@)words[at + 1,-1]}")
    (( CURRENT -= at ))
    _normal
    return
  fi
  at=\${words[(i)--home]}
  (( at + 1 < CURRENT )) && daemonry_home=(--home "\${\${(Q)words[at + 1]}/#\\~/$HOME}")

  _arguments -C \\
${before.map((spec) => `    ${spec}`).join(' \\\n')} && return

  case $state in
    verb)
      verbs=(
${lines(
  verbs.map(({ name, summary }) => quoted(`${name}:${summary}`)),
  '        ',
)}      )
      _describe -t verbs verb verbs
      ;;
    rest)
      case $line[1] in
${verbs.map(zshVerb).join('')}        *) return 1 ;;
      esac
      ;;
  esac
}

# Sourced, it says itself whom it is for; found in $fpath, it is the function.
if [[ $funcstack[1] == _daemonry ]]; then
  _daemonry "$@"
else
  compdef _daemonry daemonry
fi
`;
}

function zshVerb(verb: CompletionVerb): string {
  const words =
    verb.name === shellsVerb ? [quoted(`1:shell:(${shells.join(' ')})`)] : takesDaemons(verb) ? [quoted('*:daemon:_daemonry_names')] : [];
  const specs = [...verb.options.map(zshOption), ...words].map((spec) => `            ${spec}`);
  return `        ${verb.name})\n          _arguments \\\n${specs.join(' \\\n')}\n          ;;\n`;
}

function zshOption({ flags, summary, values, takesValue }: CompletionOption): string {
  const spelled = flags.map((flag) => (takesValue && flag.startsWith('--') ? `${flag}=` : flag));
  const about = `[${zshText(summary)}]${takesValue ? `:value:${zshAction(values)}` : ''}`;
  // Whatever takes a value may come again; of two spellings of a flag, one.
  const repeat = takesValue ? '*' : spelled.length > 1 ? `(${flags.join(' ')})` : '';
  return spelled.length > 1 ? `${quoted(repeat)}{${spelled.join(',')}}${quoted(about)}` : quoted(repeat + spelled.join('') + about);
}

function zshAction(values: CompletionOption['values']): string {
  if (values === 'file') return '_files';
  if (values === 'folder') return '_files -/';
  return values === undefined ? ' ' : `_daemonry_words ${values.map((value) => value.replaceAll(':', '\\:')).join(' ')}`;
}

function zshText(text: string): string {
  return text.replace(/[[\]\\:]/g, '\\$&');
}

// fish

function fishScript(verbs: readonly CompletionVerb[]): string {
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

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

/** Written for bash 3.2, which macOS has. */
export function bashScript(verbs: readonly CompletionVerb[]): string {
  const common = commonOptions(verbs);
  const takes = [
    ...verbs.flatMap((verb) => verb.options.map((option) => bashTakes(verb.name, option))),
    ...common.map((option) => bashTakes('', option)),
  ];
  const flags = verbs.map(({ name, options }) => `${name}) words=${quoted(options.flatMap((option) => option.flags).join(' '))} ;;`);
  const before = [...common.flatMap((option) => option.flags), ...helpFlags.map(({ flag }) => flag)];
  const daemons = verbs.filter(takesDaemons).map(({ name }) => name);
  const worded = verbs.filter(({ words }) => words !== undefined);
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
${
  worded.length > 0
    ? `    case $verb in
${worded.map(({ name, words = [] }) => `      ${name}) _daemonry_offer < <(printf '%s\\n' ${words.join(' ')}) ;;\n`).join('')}    esac\n`
    : ''
}  fi
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

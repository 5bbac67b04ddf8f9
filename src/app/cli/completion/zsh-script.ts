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

/** Made of `_arguments` and `_describe`. */
export function zshScript(verbs: readonly CompletionVerb[]): string {
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
  const first = verb.words ? [quoted(`1:what:(${verb.words.join(' ')})`)] : [];
  const words =
    verb.name === shellsVerb
      ? [quoted(`1:shell:(${shells.join(' ')})`)]
      : takesDaemons(verb)
        ? [...first, quoted('*:daemon:_daemonry_names')]
        : [];
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

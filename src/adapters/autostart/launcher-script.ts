/** What a launcher looks for: as it was when the service was installed. */
export interface LauncherTarget {
  readonly home: string;
  /** Node, by a path that outlives its upgrade where there is one. */
  readonly node: string;
  /** The program that keeps a service, in the package of daemonry. */
  readonly program: string;
}

/** The oldest Node that will do. */
export const oldestNode = { major: 20, minor: 19 } as const;

/**
 * What a service manager starts, since Node and daemonry move when they are upgraded (nvm, brew, npm) and a definition names one
 * place for ever. It takes those on record, else the newest that it finds, and becomes that Node.
 */
export function launcherScript({ home, node, program }: LauncherTarget): string {
  return `#!/bin/sh
# Written by daemonry: autostart enable and doctor --fix write it anew. It finds Node and daemonry where they are by now.
d_home=${quoted(home)}
d_node=${quoted(node)}
d_program=${quoted(program)}

fits() {
  [ -x "$1" ] && "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > ${oldestNode.major} || (a === ${oldestNode.major} && b >= ${oldestNode.minor}) ? 0 : 1)' </dev/null >/dev/null 2>&1
}

# Of folders named after versions, as in v22.1.0, that of the newest Node which fits.
newest() {
  d_best=-1 d_found=
  for d_one; do
    [ -x "$d_one" ] || continue
    d_version=\${d_one#"$d_root"/} d_version=\${d_version%%/*} d_version=\${d_version#v}
    case $d_version in *[!0-9.]* | '' | .*) continue ;; esac
    d_major=\${d_version%%.*} d_rest=\${d_version#*.} d_minor=\${d_rest%%.*} d_patch=\${d_rest#*.}
    case $d_minor.$d_patch in *[!0-9.]* | *.*.*) continue ;; esac
    d_number=$((d_major * 1000000 + \${d_minor:-0} * 1000 + \${d_patch:-0}))
    [ "$d_number" -gt "$d_best" ] && fits "$d_one" && d_best=$d_number d_found=$d_one
  done
  [ -n "$d_found" ] && d_node=$d_found
}

find_node() {
  [ -x "$d_node" ] && return
  d_root=\${NVM_DIR:-$HOME/.nvm}/versions/node
  newest "$d_root"/*/bin/node && return
  d_root=\${FNM_DIR:-$HOME/.local/share/fnm}/node-versions
  newest "$d_root"/*/installation/bin/node && return
  for d_one in "$(command -v node 2>/dev/null)" "$HOME/.volta/bin/node" "$HOME/.local/share/mise/shims/node" "$HOME/.asdf/shims/node" \\
    /opt/homebrew/bin/node /home/linuxbrew/.linuxbrew/bin/node /usr/local/bin/node /usr/bin/node /usr/bin/nodejs; do
    fits "$d_one" && d_node=$d_one && return
  done
  echo "daemonry: no Node of ${oldestNode.major}.${oldestNode.minor} or later is found; it was $d_node" >&2
  exit 127
}

find_program() {
  [ -f "$d_program" ] && return
  d_bin=$(command -v daemonry 2>/dev/null) && d_bin=$(readlink -f -- "$d_bin" 2>/dev/null)
  for d_one in "\${d_node%/bin/node}/lib/node_modules/daemonry" "\${d_bin%/bin/*}" "$HOME/.local/lib/node_modules/daemonry" \\
    /opt/homebrew/lib/node_modules/daemonry /usr/local/lib/node_modules/daemonry /usr/lib/node_modules/daemonry; do
    [ -f "$d_one/dist/service.js" ] && d_program=$d_one/dist/service.js && return
  done
  echo "daemonry: daemonry is not found any more; it was $d_program" >&2
  exit 127
}

: "\${HOME:=/}"
find_node
# For commands such as node and npx, and for what a service manager's short PATH leaves out.
PATH=\${PATH:-/usr/local/bin:/usr/bin:/bin}
case :$PATH: in *:"\${d_node%/*}":*) ;; *) PATH=\${d_node%/*}:$PATH ;; esac
for d_one in /usr/local/bin /opt/homebrew/bin "$HOME/.local/bin"; do
  case :$PATH: in *:"$d_one":*) ;; *) [ -d "$d_one" ] && PATH=$PATH:$d_one ;; esac
done
export PATH
find_program
exec "$d_node" --max-semi-space-size=1 -- "$d_program" "$d_home" "$@"
`;
}

/** What this shell and any other reads as one word. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

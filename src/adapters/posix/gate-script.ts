/** How a waiting gate shows in the process table. */
export const gateName = 'daemonry-gate';

/** What the names begin with under which entries travel around the shell. */
const carrierPrefix = 'DAEMONRY_CARRY_';

export interface GateTools {
  readonly sh: string;
  /** Whether `sh` is dash, which leaves almost everything alone: most commands then need no `env`, and start sooner. */
  readonly isDash: boolean;
  /** `env`, and `nice` for a command path that `env` would take for an assignment. */
  readonly env: string | undefined;
  readonly nice: string | undefined;
}

export interface GateCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type Entry = readonly [name: string, value: string];

/**
 * The launch gate: a shell that waits for a word on descriptor 3, and becomes the command by `exec`, so that pid and
 * start token stay. End-of-file instead of the word means that the starter is gone: then nothing runs.
 *
 * Shells drop environment names that are no identifiers, obey or change some others, and add some of their own. The
 * former travel under names of ours, and `env` gives them back their own and takes the latter out. Only those travel:
 * for a moment their values are arguments, which everybody may read. `undefined` where it can't be: no `env` here.
 */
export function gateCommand(
  command: { file: string; argv: readonly string[]; env: Readonly<Record<string, string>> },
  tools: GateTools,
): GateCommand | undefined {
  const entries = Object.entries(command.env);
  const target = [command.file, ...command.argv];
  const needsNice = command.file.includes('=');
  const shellsWay = tools.isDash ? dashsOwn : shellsOwn;
  const isSafe = (entry: Entry) => survives(entry, shellsWay);
  if (tools.isDash && command.env.PWD !== undefined && entries.every(isSafe)) return gate(tools.sh, 'exec "$@"', target, entries);
  if (!tools.env || (needsNice && !tools.nice)) {
    return entries.every((entry) => survives(entry, shellsOwn) || isCosmetic(entry))
      ? gate(tools.sh, 'exec "$@"', target, entries)
      : undefined;
  }
  const kept = entries.filter(isSafe);
  const carriers = entries
    .filter((entry) => !isSafe(entry))
    .map(([name, value], index): Entry => [`${carrierPrefix}${index}`, `${name}=${value}`]);
  const added = addedByShells.filter((name) => command.env[name] === undefined);
  // The bare prefix, which nobody has, comes first: by it an observer knows this `env`, whatever follows.
  const unset = [carrierPrefix, ...carriers.map(([carrier]) => carrier), ...added].map((name) => `-u ${name}`).join(' ');
  const assign = carriers.map(([carrier]) => `"$${carrier}"`).join(' ');
  // `--`, since an environment name may begin with a dash.
  const run = `daemonry_env=$1; shift; exec "$daemonry_env" ${unset} -- ${assign} "$@"`;
  const nice = needsNice ? [tools.nice as string, '-n', '0'] : [];
  return gate(tools.sh, run, [tools.env, ...nice, ...target], [...kept, ...carriers]);
}

/** How a shell is started that waits for whatever it is to become, without environment: it learns all of that on its standard input. */
export const spareArguments = ['-s', gateName];

/** A socket takes it at once. */
const longestSpareScript = 64 * 1024;

/**
 * What makes such a shell the command, in one group: where the end of it is missing, since its starter was killed in the middle, nothing
 * of it is done. `undefined` for what dash can't be told. Other shells change more than dash does: none of them waits.
 */
export function spareScript(
  command: { file: string; argv: readonly string[]; cwd: string; env: Readonly<Record<string, string>> },
  files: { log: string; notify: { path: string; fd: number } | undefined },
): string | undefined {
  const entries = Object.entries(command.env);
  if (!entries.every((entry) => survives(entry, dashsOwn))) return undefined;
  const { log, notify } = files;
  const script = [
    '{',
    `cd -- ${quoted(command.cwd)} || exit 125`,
    // What the shell has put there itself.
    'unset -v PWD OLDPWD',
    `export ${entries.map(([name, value]) => `${name}=${quoted(value)}`).join(' ')}`,
    `exec ${[command.file, ...command.argv].map(quoted).join(' ')} </dev/null >>${quoted(log)} 2>&1${notify ? ` ${notify.fd}>>${quoted(notify.path)}` : ''}`,
    '}',
    '',
  ].join('\n');
  return Buffer.byteLength(script) <= longestSpareScript ? script : undefined;
}

/** One word, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Whether an argument list is that of a gate: of the shell, or of the `env` between it and the command. */
export function isGate([, option, text, name]: readonly string[]): boolean {
  if (option === spareArguments[0]) return text === gateName;
  if (option === '-u') return text?.startsWith(carrierPrefix) ?? false;
  return option === '-c' && name === gateName && (text?.startsWith(gateOpening) ?? false);
}

/** What a gate may be called: the shell, and what it becomes on the way to the command. */
export const gatePrograms = ['sh', 'env', 'nice'];

/** How every gate's script begins. */
const gateOpening = 'read -r daemonry_word <&3';

function gate(sh: string, run: string, args: readonly string[], env: readonly Entry[]): GateCommand {
  const script = `${gateOpening} && [ "$daemonry_word" = go ] || exit 125; exec 3<&-; ${run}`;
  return { file: sh, args: ['-c', script, gateName, ...args], env: Object.fromEntries(env) };
}

/** Names that dash, bash, busybox, mksh, ksh93 or zsh obey, refuse, count up, reset or complain about on descriptor 2. */
const shellsOwn = new RegExp(
  `^(${[
    'IFS|OPTIND|OPTARG|OPTERR|PPID|LINENO|REPLY|PIPESTATUS|HISTCMD|HISTSIZE|COLUMNS|LINES|TMOUT|PS[1-4]|_|PWD|OLDPWD|SHLVL',
    'RANDOM|SRANDOM|SECONDS|EPOCH.*|UID|EUID|GID|EGID|USERNAME|GROUPS|ERRNO|PATHSEP|TTY|VENDOR|CPUTYPE|MACHTYPE|OSTYPE|HOSTTYPE',
    'ENV|SHELLOPTS|POSIXLY_CORRECT|COMP_WORDBREAKS|BASH.*|KSH.*|ZSH.*|A__z',
    // Of a locale that is not installed some say so.
    'LANG|LC_.*',
    // The loader would load these into the shell too; macOS takes its own away from /bin/sh and whoever that becomes.
    'LD_.*|DYLD_.*',
    `daemonry_word|daemonry_env|${carrierPrefix}.*`,
  ].join('|')})$`,
);

/** The same of dash alone. `PWD` it keeps where it is right, as the spawner's is. */
const dashsOwn = new RegExp(`^(IFS|OPTIND|PPID|LINENO|PS[124]|ENV|LD_.*|DYLD_.*|daemonry_word|daemonry_env|${carrierPrefix}.*)$`);

/** What one shell or another exports although nobody gave it: a `PATH` of its own where there was none, for one. */
const addedByShells = ['SHLVL', 'OLDPWD', '_', 'PWD', 'PATH', 'HOME', 'LOGNAME', 'A__z'];

/** What a daemon hardly misses if a shell counts or corrects it. */
const cosmetic = /^(_|SHLVL|PWD|OLDPWD|COLUMNS|LINES|LANG|LC_.*)$/;

function survives([name, value]: Entry, shellsWay: RegExp): boolean {
  // Old builds of bash take any value of this form for a function.
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !shellsWay.test(name) && !value.startsWith('() {');
}

function isCosmetic([name]: Entry): boolean {
  return cosmetic.test(name);
}

/** How an option reads on the command line. `flag` takes no value, `value` one, `list` one each time it is given. */
export interface OptionSyntax {
  readonly flag: `--${string}`;
  readonly short?: `-${string}`;
  readonly kind: 'flag' | 'value' | 'list';
  readonly summary: string;
  /** For completion: the values themselves, or what kind of path. */
  readonly values?: readonly string[] | 'file' | 'folder';
}

export interface VerbSyntax {
  readonly verb: string;
  readonly summary: string;
  /** How many names stand after the verb. */
  readonly names: 'none' | 'one' | 'optional' | 'any';
  /** What the names are called in the help, where they are no daemons. */
  readonly nameLabel?: string;
  /** Whether a command may follow after `--`. */
  readonly command: boolean;
  readonly options: readonly OptionSyntax[];
}

const everywhere: readonly OptionSyntax[] = [
  { flag: '--home', kind: 'value', summary: 'where the daemons are kept', values: 'folder' },
  { flag: '--json', kind: 'flag', summary: 'answer with one JSON object' },
];

const grace: OptionSyntax = { flag: '--grace', kind: 'value', summary: 'how long it may take to end before it is killed (10s)' };

const specOptions: readonly OptionSyntax[] = [
  { flag: '--cwd', kind: 'value', summary: 'its working folder (here)', values: 'folder' },
  { flag: '--env', kind: 'list', summary: 'K=V: a variable for it; remembered on disk' },
  { flag: '--env-file', kind: 'list', summary: 'a file of variables, read at each start', values: 'file' },
  { flag: '--pass-env', kind: 'list', summary: 'NAME: a variable of the starter, by name, where --clean-env drops the rest' },
  { flag: '--clean-env', kind: 'flag', summary: 'pass on PATH, HOME and what is named, not the whole environment' },
  {
    flag: '--ready',
    kind: 'value',
    summary: 'when it is ready: exec, socket, port:N, http:URL, log:REGEX, notify (exec)',
    values: ['exec', 'socket', 'port:', 'http:', 'log:', 'notify'],
  },
  { flag: '--ready-timeout', kind: 'value', summary: 'how long that may take (15s)' },
  { flag: '--on-timeout', kind: 'value', summary: 'what happens to it then (stop)', values: ['stop', 'keep'] },
  {
    flag: '--stop-signal',
    kind: 'value',
    summary: 'the signal that asks it to end (SIGTERM)',
    values: ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'],
  },
  grace,
  { flag: '--socket', kind: 'value', summary: 'a socket path of your own', values: 'file' },
  { flag: '--log', kind: 'value', summary: 'a log file of your own', values: 'file' },
  { flag: '--log-max-size', kind: 'value', summary: 'when the log is rotated (10MB)' },
  { flag: '--log-keep', kind: 'value', summary: 'how many rotated logs are kept (5)' },
  { flag: '--restart', kind: 'value', summary: 'restart policy (never; no other yet)', values: ['never'] },
  { flag: '--daemon-version', kind: 'value', summary: "the daemon's own version" },
];

/** Every verb, in the order of the help. Parsers, help and completion are made from this. */
export const verbTable: readonly VerbSyntax[] = [
  {
    verb: 'start',
    summary: 'start a daemon and wait until it is ready',
    names: 'one',
    command: true,
    options: [
      ...everywhere,
      ...specOptions,
      { flag: '--force', kind: 'flag', summary: 'clear a record that can not be judged from here, without a signal' },
    ],
  },
  {
    verb: 'stop',
    summary: 'stop daemons, all of their processes',
    names: 'any',
    command: false,
    options: [...everywhere, grace, { flag: '--all', kind: 'flag', summary: 'every daemon of this home' }],
  },
  { verb: 'restart', summary: 'stop a daemon and start it as before', names: 'one', command: false, options: [...everywhere, grace] },
  { verb: 'status', summary: 'tell how a daemon is, or all of them', names: 'optional', command: false, options: everywhere },
  { verb: 'list', summary: 'show all daemons in a table', names: 'none', command: false, options: everywhere },
  {
    verb: 'logs',
    summary: "show a daemon's last output",
    names: 'one',
    command: false,
    options: [
      ...everywhere,
      { flag: '--follow', short: '-f', kind: 'flag', summary: 'go on with what it writes, over rotation and restart' },
      { flag: '--lines', short: '-n', kind: 'value', summary: 'how many lines (10)' },
    ],
  },
  { verb: 'run', summary: 'run a daemon in the foreground', names: 'one', command: true, options: [...everywhere, ...specOptions] },
  {
    verb: 'wait',
    summary: 'wait until a daemon is ready, or stopped',
    names: 'one',
    command: false,
    options: [
      ...everywhere,
      { flag: '--for', kind: 'value', summary: 'what to wait for (ready)', values: ['ready', 'stopped'] },
      { flag: '--timeout', kind: 'value', summary: 'how long (for ever)' },
    ],
  },
  {
    verb: 'doctor',
    summary: 'say what is wrong here and what to do',
    names: 'none',
    command: false,
    options: [...everywhere, { flag: '--fix', kind: 'flag', summary: 'mend it' }],
  },
  {
    verb: 'completion',
    summary: 'print the completion script of a shell',
    names: 'optional',
    nameLabel: 'bash|zsh|fish',
    command: false,
    options: [...everywhere, { flag: '--names', kind: 'flag', summary: 'print the names of all daemons, for the scripts' }],
  },
];

export function findVerb(verb: string | undefined): VerbSyntax | undefined {
  return verbTable.find((syntax) => syntax.verb === verb);
}

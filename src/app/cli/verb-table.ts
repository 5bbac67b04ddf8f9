/** How an option reads on the command line. `flag` takes no value, `value` one, `list` one each time it is given. */
export interface OptionSyntax {
  readonly flag: `--${string}`;
  readonly short?: `-${string}`;
  readonly kind: 'flag' | 'value' | 'list';
  /** What the value is called in the help. */
  readonly label?: string;
  readonly summary: string;
  /** For completion: the values themselves, or what kind of path. */
  readonly values?: readonly string[] | 'file' | 'folder';
}

export interface VerbSyntax {
  readonly verb: string;
  readonly summary: string;
  /** How many names stand after the verb. */
  readonly names: 'none' | 'one' | 'optional' | 'some' | 'any';
  /** What the names are called in the help, where they are no daemons. */
  readonly nameLabel?: string;
  /** What the first of them is, where that is no daemon. */
  readonly words?: readonly string[];
  /** Whether a command may follow after `--`. */
  readonly command: boolean;
  readonly options: readonly OptionSyntax[];
}

const everywhere: readonly OptionSyntax[] = [
  { flag: '--home', kind: 'value', label: 'DIR', summary: 'where the daemons are kept', values: 'folder' },
  { flag: '--json', kind: 'flag', summary: 'answer with one JSON object' },
];

const grace: OptionSyntax = { flag: '--grace', kind: 'value', label: '10s', summary: 'how long it may take to end before it is killed' };

const specOptions: readonly OptionSyntax[] = [
  { flag: '--cwd', kind: 'value', label: 'DIR', summary: 'its working folder; this one without it', values: 'folder' },
  { flag: '--env', kind: 'list', label: 'K=V', summary: 'a variable for it, remembered on disk' },
  { flag: '--env-file', kind: 'list', label: 'FILE', summary: 'a file of variables, read at each start', values: 'file' },
  { flag: '--pass-env', kind: 'list', label: 'NAME', summary: 'a variable of the starter that --clean-env shall not drop' },
  { flag: '--clean-env', kind: 'flag', summary: 'pass on PATH, HOME and what is named, not the whole environment' },
  {
    flag: '--ready',
    kind: 'value',
    label: 'WHEN',
    summary: 'when it is ready: exec, socket, port:N, http:URL, log:REGEX, notify (exec)',
    values: ['exec', 'socket', 'port:', 'http:', 'log:', 'notify'],
  },
  { flag: '--ready-timeout', kind: 'value', label: '15s', summary: 'how long that may take' },
  { flag: '--on-timeout', kind: 'value', label: 'stop|keep', summary: 'what happens to it then', values: ['stop', 'keep'] },
  {
    flag: '--stop-signal',
    kind: 'value',
    label: 'SIGTERM',
    summary: 'the signal that asks it to end',
    values: ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'],
  },
  grace,
  { flag: '--socket', kind: 'value', label: 'PATH', summary: 'a socket path of your own', values: 'file' },
  { flag: '--log', kind: 'value', label: 'FILE', summary: 'a log file of your own', values: 'file' },
  { flag: '--log-max-size', kind: 'value', label: '10MB', summary: 'when the log is rotated' },
  { flag: '--log-keep', kind: 'value', label: '5', summary: 'how many rotated logs are kept' },
  {
    flag: '--restart',
    kind: 'value',
    label: 'never',
    summary: 'when a supervisor starts it again: never, on-failure, always',
    values: ['never', 'on-failure', 'always'],
  },
  { flag: '--restart-delay', kind: 'value', label: '100ms', summary: 'before the second restart in a row, then doubled; 0s for none' },
  { flag: '--restart-max-delay', kind: 'value', label: '30s', summary: 'the longest such delay' },
  { flag: '--restart-limit', kind: 'value', label: '10', summary: 'so many restarts in the window are a crash loop; 0 for any number' },
  { flag: '--restart-window', kind: 'value', label: '1m', summary: 'the window in which they are counted' },
  { flag: '--stable-after', kind: 'value', label: '10s', summary: 'after so long a run it is restarted at once again' },
  { flag: '--success-codes', kind: 'value', label: '0,3', summary: 'exit codes that are no failure' },
  {
    flag: '--health',
    kind: 'value',
    label: 'PROBE',
    summary: 'what shows that it is well: http:URL, port:N, command:COMMAND, ping',
    values: ['http:', 'port:', 'command:', 'ping'],
  },
  { flag: '--health-interval', kind: 'value', label: '10s', summary: 'how often it is asked' },
  { flag: '--health-timeout', kind: 'value', label: '2s', summary: 'how long it may take to answer' },
  { flag: '--health-threshold', kind: 'value', label: '3', summary: 'how many failures in a row make it unhealthy' },
  { flag: '--health-start-grace', kind: 'value', label: '5s', summary: 'after it got ready, failures count for nothing so long' },
  { flag: '--daemon-version', kind: 'value', label: 'V', summary: "the daemon's own version" },
];

const file: OptionSyntax = {
  flag: '--file',
  kind: 'value',
  label: 'FILE',
  summary: 'the project file; the nearest daemonry.yaml, daemonry.yml or daemonry.json without it',
  values: 'file',
};
const group: OptionSyntax = { flag: '--group', kind: 'value', label: 'GROUP', summary: 'the daemons of this group' };

/** Every verb, in the order of the help. Parsers, help and completion are made from this. */
export const verbTable: readonly VerbSyntax[] = [
  {
    verb: 'start',
    summary: 'start a daemon, or several that are remembered, and wait until it is ready',
    names: 'some',
    command: true,
    options: [
      ...everywhere,
      ...specOptions,
      { flag: '--force', kind: 'flag', summary: 'clear a record that can not be judged from here; signals nobody' },
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
    summary: "show a daemon's last output, or that of several",
    names: 'some',
    command: false,
    options: [
      ...everywhere,
      { flag: '--follow', short: '-f', kind: 'flag', summary: 'go on with what it writes, over rotation and restart' },
      { flag: '--lines', short: '-n', kind: 'value', label: '10', summary: 'how many lines; all of them with --since' },
      {
        flag: '--since',
        kind: 'value',
        label: '10m|TIME',
        summary: 'what was written since, as exactly as somebody looked at the log: a duration ago, or an ISO 8601 time',
      },
      { flag: '--grep', kind: 'value', label: 'REGEX', summary: 'only lines in which it is found' },
      { flag: '--timestamps', kind: 'flag', summary: 'by when each line was there, where somebody noted that' },
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
      { flag: '--for', kind: 'value', label: 'ready|stopped', summary: 'what to wait for', values: ['ready', 'stopped'] },
      { flag: '--timeout', kind: 'value', label: '1m', summary: 'how long; for ever without it' },
    ],
  },
  {
    verb: 'why',
    summary: 'tell how its last runs ended, and what was decided then',
    names: 'one',
    command: false,
    options: [...everywhere, { flag: '--runs', short: '-n', kind: 'value', label: '5', summary: 'how many runs, the newest first' }],
  },
  {
    verb: 'top',
    summary: 'show all daemons with what they use, again and again',
    names: 'none',
    command: false,
    options: [
      ...everywhere,
      { flag: '--interval', kind: 'value', label: '1s', summary: 'from one picture to the next' },
      { flag: '--rounds', kind: 'value', label: 'N', summary: 'how many pictures; until interrupted without it' },
    ],
  },
  { verb: 'events', summary: 'a line of JSON for each change of state', names: 'any', command: false, options: everywhere },
  { verb: 'reload', summary: 'have a daemon read its configuration again', names: 'one', command: false, options: everywhere },
  { verb: 'serve', summary: 'run the supervisor of this home in the foreground', names: 'none', command: false, options: everywhere },
  {
    verb: 'up',
    summary: 'start the daemons of a project, and what they depend on',
    names: 'any',
    command: false,
    options: [...everywhere, file, group],
  },
  {
    verb: 'down',
    summary: 'stop the daemons of a project, and what depends on them',
    names: 'any',
    command: false,
    options: [...everywhere, file, group],
  },
  {
    verb: 'apply',
    summary: 'start, replace and stop what differs from a project file',
    names: 'none',
    command: false,
    options: [...everywhere, file, { flag: '--dry-run', kind: 'flag', summary: 'only say what would be done' }],
  },
  { verb: 'validate', summary: 'say whether a project file is in order', names: 'none', command: false, options: [...everywhere, file] },
  {
    verb: 'import',
    summary: 'print a project file made from a Procfile, ecosystem.config.js (which it runs) or supervisord.conf',
    names: 'one',
    nameLabel: '<file>',
    command: false,
    options: [
      ...everywhere,
      { flag: '--output', kind: 'value', label: 'FILE', summary: 'write it there', values: 'file' },
      { flag: '--force', kind: 'flag', summary: 'over a file that is there' },
    ],
  },
  {
    verb: 'autostart',
    summary: 'have daemons started when the machine is, or tell whether they will be',
    names: 'some',
    nameLabel: 'enable|disable|status [name…]',
    words: ['enable', 'disable', 'status'],
    command: false,
    options: [
      ...everywhere,
      { ...file, summary: 'all daemons of this project file, in place of names' },
      { flag: '--no-verify', kind: 'flag', summary: 'enable: only install it, and do not start it now' },
      { flag: '--linger', kind: 'flag', summary: 'enable: start it without a login too, where you may say so' },
    ],
  },
  {
    verb: 'export',
    summary: "print a daemon's definition for another manager, and install nothing",
    names: 'one',
    command: false,
    options: [
      ...everywhere,
      {
        flag: '--to',
        kind: 'value',
        label: 'systemd|launchd|windows-task|windows-service|compose|kubernetes',
        summary: 'for which one',
        values: ['systemd', 'launchd', 'windows-task', 'windows-service', 'compose', 'kubernetes'],
      },
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

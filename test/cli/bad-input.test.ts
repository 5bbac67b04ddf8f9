import { existsSync, readdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { test } from '../support/temporary-home.js';

interface Mistake {
  readonly args: readonly string[];
  /** What the message must name. */
  readonly names: string;
  /** What it must say is allowed, or to be done. */
  readonly allows: string;
  readonly exitCode?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const command = ['--', 'sleep', '1000'];
const start = (...options: readonly string[]) => ['start', 'clock', ...options, ...command];
const tooLong = 'x'.repeat(65);
const nameRule = 'a name has 1 to 64 of A-Z a-z 0-9 . _ -, begins with a letter or digit, ends with no dot, and is no reserved word';
const durationRule = 'a duration is a number with ms, s, m, h or d, such as 500ms, 10s or 5m';
const sizeRule = 'a size is a number with B, KB, MB or GB, such as 64KB or 10MB';
const readyRule = 'readiness is exec, socket, port:N, http:URL, log:REGEX or notify';
const portRule = 'a port is a whole number from 1 to 65535';
const verbs =
  'verbs are start, stop, restart, status, list, logs, run, wait, why, top, events, reload, serve, up, down, apply, validate, import, autostart, export, doctor, completion; see daemonry --help';

const wrongNames = ['../x', 'a/b', '..', '', tooLong, 'a b', 'naïve', 'ends.', '.hidden', 'NUL', 'Supervisor', 'a\nb'];

const mistakes: readonly Mistake[] = [
  ...wrongNames.map((name) => ({ args: ['start', name, ...command], names: JSON.stringify(name), allows: nameRule })),
  ...['stop', 'status', 'logs'].map((verb) => ({ args: [verb, '../x'], names: '"../x"', allows: nameRule })),

  { args: [], names: 'no verb is given', allows: verbs },
  { args: ['strat', 'clock'], names: '"strat"', allows: verbs },
  { args: [''], names: '""', allows: verbs },
  { args: ['start'], names: 'start needs the name', allows: 'see daemonry --help' },
  { args: ['start', 'clock', 'sleep', '1'], names: '"sleep" "1"', allows: 'a command stands after --' },
  { args: ['list', 'clock'], names: '"clock"', allows: 'list takes no name' },
  { args: ['status', 'one', 'two'], names: '"two"', allows: 'status takes one name' },
  { args: ['stop'], names: 'stop needs the name', allows: '--all for every one of them' },
  { args: ['stop', 'clock', '--all'], names: '--all', allows: 'names or --all, not both' },
  { args: ['status', 'clock', ...command], names: 'status', allows: 'takes no command after --' },

  { args: start('--colour'), names: '"--colour" for start', allows: '--home, --json, --cwd, --env,' },
  { args: start('-f'), names: '"-f" for start', allows: 'allowed are --home' },
  { args: ['stop', 'clock', '--force'], names: '"--force" for stop', allows: 'allowed are --home, --json, --grace, --all' },
  { args: ['status', 'clock', '--json=yes'], names: '--json', allows: 'takes no value' },
  { args: start('--grace'), names: '--grace', allows: 'needs a value' },
  { args: start('--cwd', ''), names: '--cwd', allows: 'needs a value' },
  { args: start('--env-file', ''), names: '--env-file', allows: 'needs a value' },
  { args: start('--env', '=1'), names: '--env "=1"', allows: 'NAME=value' },
  { args: ['--home'], names: 'no verb is given with --home', allows: verbs },
  { args: ['--home', '/tmp'], names: 'no verb is given with --home', allows: verbs },
  { args: ['--home=/tmp'], names: 'no verb is given with --home', allows: verbs },
  { args: command, names: 'no verb is given before --', allows: verbs },
  { args: ['start', 'clock', '--env', 'A=1'], names: '--env needs a command too', allows: 'a command stands after --' },
  { args: ['start', 'clock', '--'], names: 'no command stands after --', allows: 'daemonry start <name> -- <command> [args…]' },
  { args: ['start', 'clock', '--', ''], names: 'no command stands after --', allows: 'daemonry start <name> -- <command> [args…]' },
  { args: ['start', 'clock'], names: 'none is remembered for clock', allows: 'daemonry start clock -- <command>' },

  ...['10', 'soon', '99999999d'].map((value) => ({
    args: start('--grace', value),
    names: `--grace ${JSON.stringify(value)}`,
    allows: durationRule,
  })),
  {
    args: start('--restart', 'always', '--restart-delay', '2s', '--restart-max-delay', '1s'),
    names: '--restart-max-delay 1s is below --restart-delay 2s',
    allows: 'the delays grow',
  },
  { args: ['events', 'nobody'], names: 'no daemon named nobody is known', allows: 'daemonry list shows what is known', exitCode: 1 },
  { args: start('--grace=-1s'), names: '--grace "-1s"', allows: durationRule },
  { args: start('--ready-timeout', 'never'), names: '--ready-timeout "never"', allows: durationRule },
  { args: ['stop', 'clock', '--grace', 'no'], names: '--grace "no"', allows: durationRule },
  { args: ['wait', 'clock', '--timeout', 'no'], names: '--timeout "no"', allows: durationRule },
  { args: ['wait', 'clock', '--for', 'dinner'], names: '--for "dinner"', allows: 'ready or stopped' },

  ...['soon', 'exec:x', ''].map((value) => ({
    args: start(`--ready=${value}`),
    names: value === '' ? '--ready' : `--ready ${JSON.stringify(value)}`,
    allows: value === '' ? 'needs a value' : readyRule,
  })),
  ...['port:0', 'port:65536', 'port:http'].map((value) => ({
    args: start('--ready', value),
    names: `--ready "${value}"`,
    allows: portRule,
  })),
  { args: start('--ready', 'port'), names: '--ready "port"', allows: `port needs a value after the colon; ${readyRule}` },
  { args: start('--ready', 'log:'), names: '--ready "log:"', allows: `log needs a value after the colon; ${readyRule}` },
  { args: start('--ready', 'log:(up'), names: '--ready "log:(up"', allows: 'the regular expression does not compile' },
  { args: start('--ready', 'http:localhost:80'), names: '--ready "http:localhost:80"', allows: 'http:http://127.0.0.1:3000/ready' },
  { args: start('--ready', 'http:ftp://x/'), names: '--ready "http:ftp://x/"', allows: 'http:http://127.0.0.1:3000/ready' },
  { args: start('--ready', 'http:http://[::1'), names: '--ready "http:http://[::1"', allows: 'http:http://127.0.0.1:3000/ready' },

  { args: start('--stop-signal', 'SIGFOO'), names: '--stop-signal "SIGFOO"', allows: 'signals are SIGHUP, SIGINT, ' },
  { args: start('--stop-signal', '9'), names: '--stop-signal "9"', allows: 'signals are SIGHUP, SIGINT, ' },
  { args: start('--on-timeout', 'explode'), names: '--on-timeout "explode"', allows: 'stop or keep' },
  { args: start('--env', 'NOVALUE'), names: '--env "NOVALUE"', allows: 'NAME=value' },
  { args: start('--env', '=value'), names: '--env "=value"', allows: 'NAME=value' },
  { args: start('--pass-env', 'A=1'), names: '--pass-env "A=1"', allows: 'the name of a variable' },
  { args: start('--socket', `/${'y'.repeat(120)}`), names: 'yyy" is too long', allows: 'a socket path has at most' },
  { args: start('--log-max-size', '10'), names: '--log-max-size "10"', allows: sizeRule },
  { args: start('--log-max-size', '0MB'), names: '--log-max-size "0MB"', allows: sizeRule },
  { args: start('--log-keep', 'all'), names: '--log-keep "all"', allows: 'a whole number from 0 to 1000' },
  { args: ['logs', 'clock', '-n', '1.5'], names: '--lines "1.5"', allows: 'a whole number from 0 to 1000000' },
  { args: start('--restart-limit', 'many'), names: '--restart-limit "many"', allows: 'whole number' },
  { args: start('--success-codes', '0,256'), names: '--success-codes "0,256"', allows: '0 to 255' },
  { args: start('--health', 'pong', '--restart', 'always'), names: '--health "pong"', allows: 'ping' },
  { args: start('--health', 'ping'), names: '--health needs --restart', allows: 'nothing watches' },
  { args: start('--health-timeout', '1s'), names: '--health-timeout needs --health', allows: 'ping' },
  {
    args: start('--restart', 'always', '--health', 'ping', '--health-interval', '0s'),
    names: '--health-interval',
    allows: 'more than nothing',
  },
  { args: start('--restart', 'always', '--health', 'ping', '--health-threshold', '0'), names: '--health-threshold', allows: '1 to 1000' },
  { args: ['logs'], names: 'logs', allows: 'needs the name of a daemon' },
  { args: ['logs', 'clock', '--since', 'yesterday'], names: '--since "yesterday"', allows: 'a duration ago' },
  { args: ['logs', 'clock', '--since', '2026-13-45'], names: '--since "2026-13-45"', allows: 'a duration ago' },
  { args: ['logs', 'clock', '--grep', '('], names: '--grep "("', allows: 'a regular expression' },
  { args: start('--restart', 'sometimes'), names: '--restart "sometimes"', allows: 'never or on-failure or always' },
  { args: ['completion', 'tcsh'], names: '"tcsh"', allows: 'shells are bash, zsh, fish' },

  { args: start('--cwd', '/no/such/folder'), names: '/no/such/folder', allows: 'ENOENT' },
  { args: start('--cwd', '/etc/passwd'), names: '/etc/passwd', allows: 'it is not a folder' },
  { args: ['start', 'clock', '--', 'no-such-command'], exitCode: 5, names: 'no-such-command', allows: 'check its spelling and PATH' },
  { args: ['start', 'clock', '--', './no-such-command'], exitCode: 5, names: './no-such-command', allows: 'check its spelling and PATH' },
  { args: start(), env: { PATH: '/nowhere' }, exitCode: 5, names: 'sleep', allows: 'check its spelling and PATH' },
  { args: ['start', 'clock', '--', '/etc/passwd'], exitCode: 4, names: '/etc/passwd', allows: 'chmod +x /etc/passwd' },
  { args: ['restart', 'clock'], exitCode: 1, names: 'clock', allows: 'daemonry list shows what is known' },
  { args: ['logs', 'clock'], exitCode: 1, names: 'clock', allows: 'daemonry list shows what is known' },
  { args: start('--home', '/dev/null'), exitCode: 4, names: '/dev/null: it is not a folder', allows: '--home or DAEMONRY_HOME' },
  { args: start('--home', '/dev/null/below'), exitCode: 1, names: '/dev/null/below', allows: 'ENOTDIR' },
  { args: start(), env: { DAEMONRY_HOME: '/proc/nothing' }, exitCode: 1, names: '/proc/nothing', allows: 'ENOENT' },
];

describe.concurrent('bad input', () => {
  test.for(mistakes)(
    '$names is answered in one line that says what is allowed',
    async ({ args, names, allows, exitCode = 2, env = {} }, { home }) => {
      const end = await home.cli(args, { env });
      expect(end).toMatchObject({ exitCode, stdout: '' });
      expect(end.stderr).toMatch(/^daemonry: [^\n]+\n$/);
      expect(end.stderr).toContain(names);
      expect(end.stderr).toContain(allows);
      expect(end.stderr).not.toMatch(/ {4}at |\(node:/);
      expect(existsSync(home.path)).toBe(false);
      expect(readdirSync(home.folder)).toEqual([]);
      expect(home.processes()).toEqual([]);
    },
  );

  test.for([
    { args: ['frobnicate', '--json'], code: 'usage', exitCode: 2 },
    { args: start('--grace', 'soon', '--json'), code: 'usage', exitCode: 2 },
    { args: ['start', '../x', '--json', ...command], code: 'invalid-name', exitCode: 2 },
    { args: ['start', 'clock', '--json', '--', 'no-such-command'], code: 'command-not-found', exitCode: 5 },
    { args: ['start', 'clock', '--json', '--', '/etc/passwd'], code: 'not-executable', exitCode: 4 },
    { args: start('--cwd', '/no/such/folder', '--json'), code: 'invalid-spec', exitCode: 2 },
    { args: ['status', '--json', '--bogus'], code: 'usage', exitCode: 2 },
  ])('$code is answered with one JSON object too, where it is asked for', async ({ args, code, exitCode }, { home }) => {
    const end = await home.cli(args);
    expect(end).toMatchObject({ exitCode, stderr: '' });
    expect(Object.keys(end.json)).toEqual(['schema', 'error']);
    expect(end.json).toMatchObject({ schema: 1, error: { code, message: expect.any(String), hint: expect.any(String) } });
    expect(existsSync(home.path)).toBe(false);
  });

  test('a long value is not repeated whole', async ({ home }) => {
    const { stderr } = await home.cli(start('--ready', `log:${'x'.repeat(100_000)}(`));
    expect(stderr).toMatch(/^daemonry: invalid --ready "log:x{56}…x{19}\("; the regular expression does not compile: [^\n]{1,50}\n$/);
  });

  test('a script whose interpreter is missing is not called missing itself', async ({ home }) => {
    const script = home.file('script', '#!/no/such/interpreter\n', 0o755);
    const end = await home.cli(['start', 'clock', '--', script]);
    expect(end).toMatchObject({ exitCode: 5, stdout: '' });
    expect(end.stderr).toContain(`the interpreter /no/such/interpreter of ${script} is not found`);
  });

  test('an environment that is too long for the system is refused, and nothing is left', async ({ home }) => {
    home.file('vars', `LONG=${'x'.repeat(200_000)}\n`);
    const end = await home.cli(start('--env-file', 'vars', '--json'));
    expect(end.exitCode).toBe(2);
    expect(end.json.error).toMatchObject({ code: 'invalid-spec', errno: 'E2BIG' });
    expect(home.descriptor('clock')).toBeUndefined();
    expect(home.processes()).toEqual([]);
  });

  test('a log in a folder that is not there is named with its errno, and nothing is left', async ({ home }) => {
    const end = await home.cli(start('--log', 'no/such/folder.log', '--json'));
    expect(end.exitCode).toBe(1);
    expect(end.json.error).toMatchObject({ code: 'unwritable', path: `${home.folder}/no/such/folder.log`, errno: 'ENOENT' });
    expect(home.descriptor('clock')).toBeUndefined();
    expect(home.processes()).toEqual([]);
  });

  test('a wrong option changes nothing of a daemon that runs', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const descriptor = home.descriptor('clock');
    for (const args of [['stop', 'clock', '--grace', 'x'], ['restart', 'clock', '--bogus'], start('--ready', 'x')]) {
      expect((await home.cli(args)).exitCode).toBe(2);
    }
    expect(home.descriptor('clock')).toEqual(descriptor);
    expect(home.processes().map((seen) => seen.pid)).toEqual([pid]);
  });
});

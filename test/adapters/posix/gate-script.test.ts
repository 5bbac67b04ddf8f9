import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseProcStat } from '../../../src/adapters/linux/proc-stat.js';
import { findTool } from '../../../src/adapters/posix/find-executable.js';
import { type GateCommand, gateCommand } from '../../../src/adapters/posix/gate-script.js';

const onLinux = process.platform === 'linux';
const deadlineMs = 20_000;

interface Ended {
  readonly stdout: Buffer;
  readonly stderr: string;
  readonly exitCode: number | null;
}

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly gate: Writable;
  readonly ended: Promise<Ended>;
}

let folder = '';

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'daemonry-gate-')));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** As the spawner does it, but for a session of its own, so that nothing outlives a test that fails. */
function launch({ file, args, env }: GateCommand, cwd = folder): Running {
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const gate = child.stdio[3] as unknown as Writable;
  gate.on('error', () => {});
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr?.on('data', (bytes: Buffer) => {
    stderr += bytes.toString('utf8');
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    const impatience = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(impatience);
      resolve({ stdout: Buffer.concat(stdout), stderr, exitCode });
    });
  });
  return { child, pid: child.pid as number, gate, ended };
}

async function through(gate: GateCommand | undefined, cwd?: string): Promise<Ended> {
  if (!gate) throw new Error('no gate can be made here');
  const running = launch(gate, cwd);
  running.gate.end('go\n');
  return running.ended;
}

/** Without a gate: what the command would have seen. */
async function directly(file: string, args: readonly string[], env: Record<string, string>, cwd = folder): Promise<Ended> {
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'ignore'] });
  const stdout: Buffer[] = [];
  child.stdout?.on('data', (bytes: Buffer) => stdout.push(bytes));
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { stdout: Buffer.concat(stdout), stderr: '', exitCode };
}

/** A shell under the name by which it is started as `/bin/sh`. */
function asSh(shell: string, real: string): string {
  const link = join(folder, shell, 'sh');
  if (!existsSync(link)) {
    mkdirSync(join(folder, shell));
    symlinkSync(real, link);
  }
  return link;
}

function entriesOf({ stdout }: Ended): readonly string[] {
  return stdout.toString('latin1').split('\0').slice(0, -1).sort();
}

const cat = findTool('cat', process.env.PATH) ?? '/bin/cat';
const sh = findTool('sh', '/bin') ?? '/bin/sh';
const showEnvironment = ['/proc/self/environ'];

const plainTools = { env: findTool('env', process.env.PATH), nice: findTool('nice', process.env.PATH) };
const toolsWith = (shell: string, isDash: boolean) => ({ sh: shell, isDash, ...plainTools });

/** Names that some shell drops, obeys, counts up, refuses or overwrites, with values that would show it. */
const oddEnvironment: Readonly<Record<string, string>> = {
  'a.b': 'dotted',
  'npm_config_//registry.example/:_authToken': 'secret',
  'with space': ' spaced ',
  ünï: 'grüße ✓',
  '-': 'dash',
  '-u': 'option',
  '--': 'end of options',
  '1': 'digit',
  '*': 'star',
  IFS: 'go ',
  OPTIND: '7',
  OPTARG: 'x',
  PPID: '1',
  UID: '12',
  EUID: '12',
  RANDOM: '4',
  SECONDS: 'many',
  LINENO: 'x',
  EPOCHSECONDS: '0',
  HISTSIZE: 'not a number',
  COLUMNS: 'not a number',
  LINES: '',
  TMOUT: '0',
  PS1: '> ',
  PS4: '$(echo trace)',
  _: '/usr/bin/caller',
  SHLVL: '3',
  OLDPWD: '/nonexistent',
  ENV: '/dev/stdin',
  BASH_ENV: '/nonexistent/hook',
  'BASH_FUNC_read%%': '() { echo hijacked; }',
  'BASH_FUNC_exec%%': '() { echo hijacked; }',
  BASH_FUNC_shift: '() { echo hijacked; }',
  old_bash_function: '() { :; }; echo hijacked',
  SHELLOPTS: 'xtrace:allexport',
  POSIXLY_CORRECT: '1',
  KSH_VERSION: 'x',
  ZSH_NAME: 'x',
  PATHSEP: ';',
  PIPESTATUS: '1',
  MACHTYPE: 'x',
  A__z: 'x',
  LANG: 'xx_YY.UTF-8',
  LC_ALL: 'xx_YY.UTF-8',
  LC_CTYPE: 'xx_YY.UTF-8',
  LD_LIBRARY_PATH: '/nonexistent',
  DYLD_LIBRARY_PATH: '/nonexistent',
  daemonry_word: 'stop',
  daemonry_env: '/bin/false',
  DAEMONRY_CARRY_: 'bare',
  DAEMONRY_CARRY_0: 'mine',
  DAEMONRY_INSTANCE: 'i',
  empty: '',
  lines: 'one\ntwo\n\n',
  quotes: `'"\`$(false)\\ $HOME`,
  equals: '=a=b=',
  spaces: '  two  ',
  HOME: '/home/nobody',
  PATH: '/usr/bin:/bin',
  LOGNAME: 'nobody',
};

const oddArguments: readonly (readonly [string, string])[] = [
  ['empty', ''],
  ['a line break', 'one\ntwo\n'],
  ['a leading dash', '-n'],
  ['two dashes', '--'],
  ['an assignment', 'A=b'],
  ['unicode', 'grüße ✓ 🚀'],
  ['quotes', `'"\`$(false)\\ $HOME *`],
  ['100 KB', 'x'.repeat(100 * 1_024)],
];

describe.skipIf(!onLinux).each(['dash', 'bash', 'busybox', 'mksh', 'zsh', 'ksh93'])(
  'gate in %s (needs Linux and this shell installed)',
  (shell) => {
    const real = findTool(shell, process.env.PATH);
    const needsShell = it.skipIf(!real);
    const tools = () => toolsWith(asSh(shell, real as string), shell === 'dash');
    const gateFor = (file: string, argv: readonly string[], env: Record<string, string>) => gateCommand({ file, argv, env }, tools());

    needsShell('keeps pid and start token across the exec', async () => {
      const gate = gateFor(cat, ['/proc/self/stat'], { PWD: folder });
      const running = launch(gate as GateCommand);
      const waiting = parseProcStat(readFileSync(`/proc/${running.pid}/stat`, 'utf8'));
      running.gate.end('go\n');
      const became = parseProcStat((await running.ended).stdout.toString());
      expect(became).toMatchObject({ pid: running.pid, startToken: waiting?.startToken });
    });

    needsShell.each([
      ['nothing', ''],
      ['half a word', 'g'],
      ['the word without its end', 'go'],
      ['another word', 'no\n'],
      ['more than the word', 'go on\n'],
    ])('runs nothing and exits with 125 when it reads %s', async (_, word) => {
      const trace = join(folder, `ran-${shell}`);
      const running = launch(gateFor(sh, ['-c', `: > ${trace}`], { PWD: folder, ...oddEnvironment }) as GateCommand);
      running.gate.end(word);
      expect((await running.ended).exitCode).toBe(125);
      expect(existsSync(trace)).toBe(false);
    });

    needsShell('waits as long as nobody says anything', async () => {
      const running = launch(gateFor(cat, ['/proc/self/stat'], { PWD: folder }) as GateCommand);
      // Blocked in a system call, however long it took to get there.
      await until(() => parseProcStat(readFileSync(`/proc/${running.pid}/stat`, 'utf8')) !== undefined && stateOf(running.pid) === 'S');
      expect(running.child.exitCode).toBeNull();
      running.gate.end('go\n');
      expect((await running.ended).exitCode).toBe(0);
    });

    needsShell.each([
      ['odd names and values', { PWD: '', ...oddEnvironment }],
      ['nothing but the working folder', { PWD: '' }],
      ['nothing at all', {}],
    ])('passes an environment of %s unchanged, with nothing added', async (_, environment: Record<string, string>) => {
      const env = 'PWD' in environment ? { ...environment, PWD: folder } : environment;
      const gated = await through(gateFor(cat, showEnvironment, env));
      expect(gated).toMatchObject({ stderr: '', exitCode: 0 });
      expect(entriesOf(gated)).toEqual(entriesOf(await directly(cat, showEnvironment, env)));
    });

    needsShell('passes each odd entry also when it is the only one', async () => {
      for (const [name, value] of Object.entries(oddEnvironment)) {
        const env = { PWD: folder, [name]: value };
        const gated = await through(gateFor(cat, showEnvironment, env));
        expect(gated, name).toMatchObject({ stderr: '', exitCode: 0 });
        expect(entriesOf(gated), name).toEqual(entriesOf(await directly(cat, showEnvironment, env)));
      }
    });

    needsShell('keeps the working folder as it was named, through a link', async () => {
      const link = join(folder, `link-${shell}`);
      symlinkSync(folder, link);
      const gated = await through(gateFor(cat, showEnvironment, { PWD: link }), link);
      expect(entriesOf(gated)).toEqual([`PWD=${link}`]);
    });

    needsShell('passes arguments unchanged', async () => {
      const argv = ['-c', 'printf "%s\\0" "$@"', 'name', ...oddArguments.map(([, argument]) => argument)];
      const { stdout } = await through(gateFor(sh, argv, { PWD: folder }));
      expect(stdout.toString('utf8').split('\0').slice(0, -1)).toEqual(oddArguments.map(([, argument]) => argument));
    });

    needsShell('runs a command whose path holds an equals sign, spaces and quotes', async () => {
      const odd = join(folder, `a=b 'c" $d-${shell}`);
      mkdirSync(odd);
      symlinkSync(cat, join(odd, 'x=y'));
      const env = { PWD: folder, 'a.b': 'c' };
      const gated = await through(gateFor(join(odd, 'x=y'), showEnvironment, env));
      expect(gated).toMatchObject({ stderr: '', exitCode: 0 });
      expect(entriesOf(gated)).toEqual([`PWD=${folder}`, 'a.b=c']);
    });

    needsShell('runs a script that names no interpreter', async () => {
      const script = join(folder, `bare-${shell}`);
      writeFileSync(script, 'echo "ran $1"\n');
      chmodSync(script, 0o700);
      expect((await through(gateFor(script, ['it'], { PWD: folder }))).stdout.toString()).toBe('ran it\n');
    });

    needsShell('passes on the exit code', async () => {
      expect((await through(gateFor(sh, ['-c', 'exit 7'], { PWD: folder }))).exitCode).toBe(7);
    });

    needsShell('leaves signals and descriptors as a direct spawn has them', async () => {
      const argv = ['-c', "grep -E '^(Sig(Blk|Ign|Cgt)|Umask|Seccomp):' /proc/self/status; ls /proc/self/fd"];
      const gated = await through(gateFor(sh, argv, { PWD: folder, PATH: process.env.PATH ?? '' }));
      const direct = await directly(sh, argv, { PWD: folder, PATH: process.env.PATH ?? '' });
      expect(gated.stdout.toString()).toBe(direct.stdout.toString());
    });

    const busybox = findTool('busybox', process.env.PATH);
    it.skipIf(!real || !busybox)('does the same with the env of busybox (needs busybox)', async () => {
      const env = join(folder, `env-${shell}`, 'env');
      mkdirSync(join(folder, `env-${shell}`));
      symlinkSync(busybox as string, env);
      const environment = { ...oddEnvironment, PWD: folder };
      const gate = gateCommand({ file: cat, argv: showEnvironment, env: environment }, { ...tools(), env });
      expect(entriesOf(await through(gate))).toEqual(entriesOf(await directly(cat, showEnvironment, environment)));
    });
  },
);

describe('gate: what it is made of', () => {
  const tools = { sh: '/bin/sh', isDash: false, env: '/usr/bin/env', nice: '/usr/bin/nice' };

  it('shows nobody the value of an ordinary variable', () => {
    const gate = gateCommand({ file: '/bin/true', argv: [], env: { API_TOKEN: 'secret' } }, tools);
    expect(gate?.env).toEqual({ API_TOKEN: 'secret' });
    expect(JSON.stringify(gate?.args)).not.toContain('secret');
  });

  it('can be told from its command by an observer, from the shell to env', () => {
    const gate = gateCommand({ file: '/bin/true', argv: [], env: {} }, tools);
    expect(gate?.args[0]).toBe('-c');
    expect(gate?.args[1]).toContain('exec "$daemonry_env" -u DAEMONRY_CARRY_ ');
    expect(gate?.args[2]).toBe('daemonry-gate');
  });

  it('does without env where only ordinary names are to be passed', () => {
    const env = { HOME: '/', PWD: '/', LANG: 'C', SHLVL: '1' };
    const gate = gateCommand({ file: '/bin/a=b', argv: ['x'], env }, { ...tools, env: undefined });
    expect(gate?.args.slice(2)).toEqual(['daemonry-gate', '/bin/a=b', 'x']);
    expect(gate?.env).toEqual(env);
  });

  it.each([
    ['without env and with a name that the shell would drop', '/bin/true', { 'a.b': 'c' }, { env: undefined }],
    ['without env and with a name that the shell would obey', '/bin/true', { IFS: 'go' }, { env: undefined }],
    ['without nice for a path that env would take for an assignment', '/bin/a=b', { 'a.b': 'c' }, { nice: undefined }],
  ])('is none %s', (_, file, env, missing) => {
    expect(gateCommand({ file, argv: [], env }, { ...tools, ...missing })).toBeUndefined();
  });
});

function stateOf(pid: number): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

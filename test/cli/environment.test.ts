import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { environmentOf } from '../support/processes.js';
import { commandLine } from '../support/suite.js';
import { type Started, type TemporaryHome, test } from '../support/temporary-home.js';

/** What daemonry itself tells a daemon. */
function marksOf({ name, instanceId, socket, descriptor }: Started): Record<string, string> {
  return { DAEMONRY_NAME: name, DAEMONRY_INSTANCE: instanceId, DAEMONRY_SOCKET: socket, DAEMONRY_DESCRIPTOR: descriptor };
}

async function startWith(home: TemporaryHome, env: Record<string, string>, ...options: string[]): Promise<Started> {
  return (await home.cli(['start', 'clock', '--json', ...options, '--', 'sleep', '1000'], { env })).json;
}

describe.concurrent('the environment of a daemon', () => {
  test("is the caller's, the marks and the working folder, and nothing else", async ({ home }) => {
    const started = await startWith(home, { LANG: 'C.UTF-8', MINE: 'a b\n"c" $d' });
    expect(environmentOf(started.pid)).toEqual({
      ...home.env,
      LANG: 'C.UTF-8',
      MINE: 'a b\n"c" $d',
      PWD: home.folder,
      ...marksOf(started),
    });
  });

  test('carries names and values that a shell would drop, obey or change', async ({ home }) => {
    const odd = {
      'a.b': 'dotted',
      'x-y': 'dashed',
      '1st': 'digit',
      'BASH_FUNC_x%%': '() { echo hijacked; }',
      OLDFUNC: '() { echo hijacked; }',
      IFS: 'z',
      OPTIND: '7',
      PPID: '5',
      PS1: '> ',
      ENV: '/nowhere',
      BASH_ENV: '/nowhere',
      SHLVL: '41',
      OLDPWD: '/',
      _: 'underscore',
      RANDOM: '4',
      EMPTY: '',
    };
    const started = await startWith(home, odd);
    expect(environmentOf(started.pid)).toEqual({ ...home.env, ...odd, PWD: home.folder, ...marksOf(started) });
  });

  test('--clean-env leaves PATH, HOME and what is named (F40)', async ({ home }) => {
    const started = await startWith(home, { KEPT: 'yes', DROPPED: 'no' }, '--clean-env', '--pass-env', 'KEPT', '--pass-env', 'ABSENT');
    const { PATH, HOME } = home.env;
    expect(environmentOf(started.pid)).toEqual({ PATH, HOME, KEPT: 'yes', PWD: home.folder, ...marksOf(started) });
  });

  test('--env goes over --env-file, a later file over an earlier one, and both over the caller', async ({ home }) => {
    home.file('one', 'A=file one\nB=file one\nC="file one"\n# a comment\n');
    home.file('two', 'B=file two\nC=file two\n');
    const options = ['--env-file', 'one', '--env', 'C=given', '--env-file', 'two', '--env', 'D=first', '--env', 'D=last=1'];
    const { pid } = await startWith(home, { A: 'caller', B: 'caller', C: 'caller', Z: 'caller' }, ...options);
    expect(environmentOf(pid)).toMatchObject({ A: 'file one', B: 'file two', C: 'given', D: 'last=1', Z: 'caller' });
  });

  test("of a remembered spec is the new caller's, with the files read anew (F40)", async ({ home }) => {
    home.file('vars', 'FILED=before\n');
    await startWith(home, { WHO: 'first caller' }, '--env-file', 'vars', '--env', 'GIVEN=once');
    await home.stop('clock');
    home.file('vars', 'FILED=after\n');
    const again = await home.cli(['start', 'clock', '--json'], { env: { WHO: 'second caller' }, cwd: '/' });
    const env = environmentOf(again.json.pid);
    expect(env).toMatchObject({ WHO: 'second caller', FILED: 'after', GIVEN: 'once', PWD: home.folder });
  });

  test('tells a daemon that another one started its own place', async ({ home }) => {
    const of = {
      DAEMONRY_NAME: 'outer',
      DAEMONRY_INSTANCE: 'outer',
      DAEMONRY_SOCKET: '/outer',
      DAEMONRY_DESCRIPTOR: '/outer',
      DAEMONRY_NOTIFY_FD: '9',
    };
    const started = await startWith(home, { ...of, DAEMONRY_NOTIFY_FILE: '/outer' });
    const env = environmentOf(started.pid);
    expect(env).toMatchObject(marksOf(started));
    expect(Object.keys(env)).not.toContain('DAEMONRY_NOTIFY_FD');
    expect(Object.keys(env)).not.toContain('DAEMONRY_NOTIFY_FILE');
  });

  test('names the notify file, and its descriptor, with --ready notify', async ({ home }) => {
    const script = 'echo >&"$DAEMONRY_NOTIFY_FD"; exec sleep 1000';
    const { pid } = await home.start('clock', ['sh', '-c', script], '--ready', 'notify');
    const { DAEMONRY_NOTIFY_FD: fd, DAEMONRY_NOTIFY_FILE: file } = environmentOf(pid);
    expect(file).toBe(home.descriptor('clock').notifyFile);
    expect(readlinkSync(`/proc/${pid}/fd/${fd}`)).toBe(file);
  });

  test('an --env-file that is not there is named by daemonry, and by nobody before it', async ({ home }) => {
    // By way of the bin as it is linked: what starts Node is part of it.
    const end = await home.spawn(commandLine, ['start', 'clock', '--env-file', 'absent', '--json', '--', 'sleep', '1000']).end();
    expect([end.exitCode, end.stderr]).toEqual([2, '']);
    expect(end.json.error).toMatchObject({ code: 'invalid-spec', path: home.file('absent'), errno: 'ENOENT' });
    expect(home.processes()).toEqual([]);
  });

  test('an --env-file that is gone by the next start fails, named with its errno, and starts nothing', async ({ home }) => {
    const file = home.file('vars', 'A=1\n');
    await home.startSleeper('clock', '--env-file', 'vars');
    await home.stop('clock');
    rmSync(file);
    const end = await home.cli(['start', 'clock', '--json']);
    expect(end.exitCode).toBe(2);
    expect(end.json.error).toMatchObject({
      code: 'invalid-spec',
      message: `can't read the environment file ${file}: ENOENT`,
      path: file,
      errno: 'ENOENT',
    });
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('the working folder of a daemon', () => {
  test("is the caller's unless given", async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(home.folder);
  });

  test('is that of --cwd, from which a relative command is found', async ({ home }) => {
    home.file('place/run', '#!/bin/sh\npwd\nexec sleep 1000\n', 0o755);
    const { pid } = await home.start('clock', ['./run'], '--cwd', 'place');
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(home.file('place'));
    await home.logSays('clock', `${home.file('place')}\n`);
  });

  test('is remembered, wherever the next start is made', async ({ home }) => {
    await home.startSleeper('clock');
    await home.stop('clock');
    const again = await home.cli(['start', 'clock', '--json'], { cwd: '/' });
    expect(readlinkSync(`/proc/${again.json.pid}/cwd`)).toBe(home.folder);
  });

  test('that is gone is named, and is no missing command (F39)', async ({ home }) => {
    mkdirSync(home.file('gone'));
    await home.start('clock', ['sleep', '1000'], '--cwd', 'gone');
    await home.stop('clock');
    rmSync(home.file('gone'), { recursive: true });
    const end = await home.cli(['start', 'clock']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toBe(`daemonry: can't use ${home.file('gone')} as the working folder: ENOENT; see daemonry start --help\n`);
  });
});

describe.concurrent('a caller whose own working folder is gone', () => {
  /** Runs the command line in a folder that was removed under it. */
  const inGoneFolder = (home: TemporaryHome, args: readonly string[]) => {
    const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$0" -- "$@"';
    return home.spawn('sh', ['-c', script, process.execPath, commandLine, ...args]).end();
  };

  test('may look, start by a remembered spec or with --cwd, and stop (F39)', async ({ home }) => {
    await home.startSleeper('clock');
    expect((await inGoneFolder(home, ['status', 'clock'])).exitCode).toBe(0);
    expect((await inGoneFolder(home, ['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    const again = (await inGoneFolder(home, ['start', 'clock', '--json'])).json;
    expect(readlinkSync(`/proc/${again.pid}/cwd`)).toBe(home.folder);
    const other = await inGoneFolder(home, ['start', 'other', '--json', '--cwd', '/', '--', 'sleep', '1000']);
    expect(other.json).toMatchObject({ outcome: 'started' });
    expect(readlinkSync(`/proc/${other.json.pid}/cwd`)).toBe('/');
  });

  test('is told so where the daemon would be left in it (F39)', async ({ home }) => {
    for (const options of [[], ['--cwd', 'relative'], ['--cwd', '/', '--log', 'relative']]) {
      const end = await inGoneFolder(home, ['start', 'clock', ...options, '--', 'sleep', '1000']);
      expect(end).toMatchObject({ exitCode: 2, stdout: '' });
      expect(end.stderr).toMatch(/^daemonry: the working folder does not exist any more; [^\n]+\n$/);
    }
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('what a daemon inherits', () => {
  test('is null for input, the log for output, and nothing that its starter was left with (F37, F38)', async ({ home }) => {
    const stray = openSync(home.file('stray', ''), 'w');
    // Node itself closes inherited descriptors at an exec, but only those below 16 and the row that follows without a gap.
    const beyondNode = 20;
    const program = home.spawn(process.execPath, [commandLine, 'start', 'clock', '--json', '--', 'sleep', '1000'], {
      stdio: ['ignore', 'pipe', 'pipe', stray, ...Array<'ignore'>(beyondNode - 4).fill('ignore'), stray],
    });
    closeSync(stray);
    const { pid, log } = (await program.end()).json;
    const targets = new Map(readdirSync(`/proc/${pid}/fd`).map((fd) => [Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`)]));
    expect([0, 1, 2, beyondNode].map((fd) => targets.get(fd))).toEqual(['/dev/null', log, log, '/dev/null']);
    expect([...targets].filter(([fd, target]) => fd > 2 && target !== '/dev/null')).toEqual([]);
  });

  test('is no ignored and no blocked signal', async ({ home }) => {
    const shell = 'trap "" HUP TERM INT; exec "$0" "$@"';
    const program = home.spawn('sh', ['-c', shell, process.execPath, commandLine, 'start', 'clock', '--json', '--', 'sleep', '1000']);
    const { pid } = (await program.end()).json;
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(/SigIgn:\s+(\S+)/.exec(status)?.[1]).toBe('0000000000000000');
    expect(/SigBlk:\s+(\S+)/.exec(status)?.[1]).toBe('0000000000000000');
  });
});

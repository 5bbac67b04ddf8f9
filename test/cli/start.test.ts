import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect } from 'vitest';
import { snapshot } from '../support/folder-snapshot.js';
import { otherUser } from '../support/other-user.js';
import { isAlive, processFacts, untilDead } from '../support/processes.js';
import { commandLine, fixture, hasShortFolders, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { canMount, TinyDisk } from '../support/tiny-disk.js';
import { waitFor } from '../support/wait-for.js';

describe.concurrent('start', () => {
  test('answers with exactly the agreed JSON, and nothing on stderr', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--json', '--', 'sleep', '1000']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    const { pid, instanceId, socket } = home.descriptor('clock');
    expect(end.json).toEqual({
      schema: 1,
      name: 'clock',
      outcome: 'started',
      status: 'running',
      pid,
      instanceId,
      socket,
      log: home.at('clock', 'daemon.log'),
      descriptor: home.at('clock', 'daemon.json'),
    });
    expect(instanceId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('says so in one line with the pid', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--', 'sleep', '1000']);
    const { pid } = home.descriptor('clock');
    expect(end).toMatchObject({ exitCode: 0, stdout: `clock started (pid ${pid})\n`, stderr: '' });
  });

  test('records every field of the contract', async ({ home }) => {
    const started = await home.start('clock', ['sleep', '1000'], '--daemon-version', '1.2.3', '--stop-signal', 'int', '--grace', '1500ms');
    expect(home.descriptor('clock')).toMatchObject({
      schema: 1,
      name: 'clock',
      instanceId: started.instanceId,
      pid: started.pid,
      startToken: processFacts(started.pid)?.startToken,
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      uid: process.getuid?.(),
      phase: 'ready',
      socket: started.socket,
      version: '1.2.3',
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      log: started.log,
      command: ['sleep', '1000'],
      supervisedBy: null,
      stop: { signal: 'SIGINT', graceMs: 1_500 },
    });
  });

  test('makes the daemon the leader of a session of its own', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    expect(processFacts(pid)).toMatchObject({ processGroup: pid, session: pid });
  });

  test('keeps homes at 0700 and files at 0600, whatever the umask (F32)', async ({ home }) => {
    const shell = home.spawn('sh', [
      '-c',
      'umask 000; exec "$0" "$@"',
      process.execPath,
      commandLine,
      'start',
      'clock',
      '--',
      'sleep',
      '1000',
    ]);
    expect(await shell.end()).toMatchObject({ exitCode: 0 });
    expect(statSync(home.path).mode & 0o777).toBe(0o700);
    expect(statSync(home.at('clock')).mode & 0o777).toBe(0o700);
    for (const file of home.filesOf('clock')) expect([file, statSync(home.at('clock', file)).mode & 0o777]).toEqual([file, 0o600]);
  });

  test('of a running daemon warns, exits 0 and changes nothing', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const before = snapshot(home.path);
    const end = await home.cli(['start', 'clock', '--', 'sleep', '1000']);
    expect(end).toMatchObject({
      exitCode: 0,
      stdout: `clock is already running (pid ${pid})\n`,
      stderr: 'warning: clock is already running, nothing was changed\n',
    });
    expect(snapshot(home.path)).toEqual(before);
  });

  test('says where the spec differs from the running one, and applies nothing', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const before = snapshot(home.path);
    const end = await home.cli(['start', 'clock', '--grace', '1s', '--', 'sleep', '999']);
    expect(end).toMatchObject({
      exitCode: 0,
      stderr:
        'warning: clock is already running, nothing was changed; it was started with another command, graceMs: daemonry stop clock first\n',
    });
    expect(snapshot(home.path)).toEqual(before);
    expect(isAlive(pid)).toBe(true);
  });

  test('without a command uses the remembered spec', async ({ home }) => {
    const first = await home.start('clock', ['sleep', '1000'], '--stop-signal', 'SIGINT', '--grace', '2s', '--daemon-version', '7');
    const before = home.descriptor('clock');
    await home.stop('clock');
    const end = await home.cli(['start', 'clock', '--json']);
    expect(end.json).toMatchObject({ outcome: 'started', descriptor: first.descriptor });
    const { command, stop, version } = home.descriptor('clock');
    expect({ command, stop, version }).toEqual({ command: before.command, stop: before.stop, version: before.version });
  });

  test('without a command, and none remembered, is a usage error', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--json']);
    expect(end.exitCode).toBe(2);
    expect(end.json).toEqual({
      schema: 1,
      error: {
        name: 'clock',
        code: 'no-remembered-spec',
        message: 'no command is given, and none is remembered for clock',
        hint: 'give one: daemonry start clock -- <command> [args…]',
      },
    });
    expect(existsSync(home.path)).toBe(false);
  });

  test('remembers a new spec from the next start on', async ({ home }) => {
    await home.startSleeper('clock');
    await home.stop('clock');
    await home.start('clock', ['sleep', '999']);
    await home.stop('clock');
    await home.cli(['start', 'clock']);
    expect(home.descriptor('clock').command).toEqual(['sleep', '999']);
  });

  test('writes no value of the environment to disk but what --env gives (F40)', async ({ home }) => {
    const env = { SECRET_ONE: 'inherited-secret', SECRET_TWO: 'passed-secret' };
    home.file('vars', 'SECRET_THREE=filed-secret\n');
    await home.cli(
      ['start', 'clock', '--pass-env', 'SECRET_TWO', '--env-file', 'vars', '--env', 'OPEN=shown-value', '--', 'sleep', '1000'],
      { env },
    );
    const written = Object.values(snapshot(home.path)).join('\n');
    expect(written).not.toMatch(/inherited-secret|passed-secret|filed-secret/);
    expect(written).toContain('shown-value');
  });

  test('takes names without regard to case, and keeps the first spelling', async ({ home }) => {
    const first = await home.startSleeper('Clock');
    expect(await home.startSleeper('cLOCK')).toEqual({ ...first, outcome: 'already-running', name: 'Clock' });
    expect((await home.cli(['status', 'CLOCK'])).stdout).toBe(`Clock is running (pid ${first.pid})\n`);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ name: 'Clock', outcome: 'stopped' });
    expect(readdirSync(home.path).filter((name) => name.toLowerCase() === 'clock')).toEqual(['Clock']);
  });

  test('carries the last lines and the exit code of a daemon that ends before it is ready (F17)', async ({ home }) => {
    const script = 'echo first; echo the reason >&2; exit 3';
    const end = await home.cli(['start', 'clock', '--ready', 'notify', '--json', '--', 'sh', '-c', script]);
    expect(end).toMatchObject({ exitCode: 1, stderr: '' });
    expect(end.json.error).toMatchObject({
      code: 'ended-before-ready',
      message: 'clock ended before it was ready (exit code 3)',
      hint: `its log is ${home.at('clock', 'daemon.log')}`,
      exitCode: 3,
      signal: null,
      logTail: ['first', 'the reason'],
    });
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('shows people the reason of a daemon that was killed before it was ready (F17)', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--ready', 'notify', '--', 'sh', '-c', 'echo no space; kill -KILL $$']);
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    const [first, ...tail] = end.stderr.trimEnd().split('\n');
    expect(first).toBe(`daemonry: clock ended before it was ready (killed by SIGKILL); its log is ${home.at('clock', 'daemon.log')}`);
    expect(tail).toEqual(['  | no space']);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(3);
  });

  test('shows only the output of this run in its failure', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'echo from before; exec sleep 1000'], '--ready', 'log:before');
    await home.stop('clock');
    const end = await home.cli(['start', 'clock', '--ready', 'notify', '--json', '--', 'sh', '-c', 'echo from now; exit 1']);
    expect(end.json.error.logTail).toEqual(['from now']);
  });

  test('ends the children of a daemon that ended before it was ready', async ({ home }) => {
    const end = await home.cli(['start', 'clock', '--ready', 'notify', '--json', '--', 'sh', '-c', 'sleep 1000 & exit 4']);
    expect(end.json.error).toMatchObject({ code: 'ended-before-ready', exitCode: 4 });
    expect(home.processes()).toEqual([]);
  });

  test('returns at once to a shell that captures its output (F37)', async ({ home }) => {
    const script = 'out=$("$0" "$1" start clock -- sleep 1000 2>&1); echo "got: $out"';
    // Its end is known only once every copy of its output is closed: a daemon that held one would keep us for ever.
    const end = await home.spawn('sh', ['-c', script, process.execPath, commandLine]).end();
    expect(end.stdout).toBe(`got: clock started (pid ${home.descriptor('clock').pid})\n`);
  });
});

describe('a terminal', () => {
  test('that closes takes its own programs with it, and no daemon (F41)', async ({ home }) => {
    const shell = '"$NODE" -- "$CLI" start clock -- sleep 1000; echo "shell $$"; sleep 1000; :';
    const env = { NODE: process.execPath, CLI: commandLine, SHELL: '/bin/sh' };
    const terminal = home.spawn('script', ['-qec', shell, '/dev/null'], { env });
    const ownShell = Number(await waitFor('its shell', () => /shell (\d+)\r?\n/.exec(terminal.stdout)?.[1]));
    const { pid } = home.descriptor('clock');
    // Its end closes the terminal, and the kernel hangs up on the session.
    terminal.kill('SIGKILL');
    await untilDead(ownShell);
    expect(isAlive(pid)).toBe(true);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped' });
  });
});

describe.concurrent('the socket of an instance', () => {
  const server = [process.execPath, fixture('serves.mjs'), serveFile];

  test('stands in the runtime folder of the user where there is one, and is gone after the stop (F31)', async ({ home, skip }) => {
    if (!hasShortFolders) skip('needs a short temporary folder');
    const env = { XDG_RUNTIME_DIR: home.file('runtime') };
    mkdirSync(env.XDG_RUNTIME_DIR, { mode: 0o700 });
    const { socket } = (await home.cli(['start', 'clock', '--json', '--ready', 'socket', '--', ...server], { env })).json;
    expect(dirname(socket)).toBe(home.file('runtime/daemonry'));
    expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect(readdirSync(dirname(socket))).toEqual([]);
  });

  const badRuntimeFolders: Readonly<Record<string, (runtime: string, home: TemporaryHome) => void>> = {
    'is not there': () => {},
    'is a file': (runtime) => writeFileSync(runtime, ''),
    'holds a link in the place of ours': (runtime, home) => {
      mkdirSync(runtime, { mode: 0o700 });
      mkdirSync(home.file('elsewhere'));
      symlinkSync(home.file('elsewhere'), `${runtime}/daemonry`);
    },
    'holds a folder that others may write in': (runtime) => {
      mkdirSync(`${runtime}/daemonry`, { recursive: true });
      chmodSync(`${runtime}/daemonry`, 0o777);
    },
    ...(process.getuid?.() === 0 && {
      "holds another user's folder (needs root)": (runtime: string) => {
        mkdirSync(`${runtime}/daemonry`, { recursive: true });
        chownSync(`${runtime}/daemonry`, otherUser, otherUser);
      },
    }),
  };

  for (const [what, make] of Object.entries(badRuntimeFolders)) {
    test(`stands beside the descriptor where the runtime folder ${what} (F27, F33)`, async ({ home, skip }) => {
      if (!hasShortFolders) skip('needs a short temporary folder');
      const env = { XDG_RUNTIME_DIR: home.file('runtime') };
      make(env.XDG_RUNTIME_DIR, home);
      const { socket } = (await home.cli(['start', 'clock', '--json', '--ready', 'socket', '--', ...server], { env })).json;
      expect(dirname(socket)).toBe(home.at('clock'));
      expect((await home.cli(['stop', 'clock', '--json'], { env })).json.outcome).toBe('stopped');
    });
  }

  test.skipIf(!canMount)(
    'stands beside the descriptor where the runtime folder is read-only (F27; needs the right to mount)',
    async ({ home }) => {
      const disk = new TinyDisk(home.folder);
      try {
        disk.makeReadOnly();
        const env = { XDG_RUNTIME_DIR: disk.folder };
        const { socket } = (await home.cli(['start', 'clock', '--json', '--ready', 'socket', '--', ...server], { env })).json;
        expect(dirname(socket)).toBe(home.at('clock'));
      } finally {
        disk.unmount();
      }
    },
  );

  test('stands in a short folder where the path in the home would be too long, and is found there (F28)', async ({ home }) => {
    const deep = home.file(`${'deep/'.repeat(25)}home`);
    const { socket } = await home.start('clock', server, '--home', deep, '--ready', 'socket');
    expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
    expect(socket.startsWith(deep)).toBe(false);
    expect(statSync(dirname(socket)).mode & 0o777).toBe(0o700);
    expect((await home.cli(['stop', 'clock', '--home', deep, '--json'])).json.outcome).toBe('stopped');
    expect(existsSync(socket)).toBe(false);
  });

  test("is another one for each instance, so that an old one can not take its successor's (F30)", async ({ home }) => {
    const first = await home.startSleeper('clock');
    await home.stop('clock');
    expect((await home.startSleeper('clock')).socket).not.toBe(first.socket);
  });
});

describe('start of several', () => {
  test('starts all that are remembered, and tells of each', async ({ home }) => {
    for (const name of ['one', 'two']) {
      await home.startSleeper(name);
      await home.cli(['stop', name]);
    }
    const { pid } = await home.startSleeper('three');
    const end = await home.cli(['start', 'one', 'three', 'two', '--json']);
    expect(end).toMatchObject({
      exitCode: 0,
      json: {
        schema: 1,
        results: [
          { name: 'one', outcome: 'started', status: 'running' },
          { name: 'three', outcome: 'already-running', pid },
          { name: 'two', outcome: 'started', status: 'running' },
        ],
      },
    });
    const pids = (end.json.results as { pid: number }[]).map((one) => one.pid);
    expect(home.processes().map((one) => one.pid)).toEqual(expect.arrayContaining(pids));
  });

  test('of which one is not remembered starts none', async ({ home }) => {
    await home.startSleeper('one');
    await home.cli(['stop', 'one']);
    expect(await home.cli(['start', 'one', 'two'])).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining('not also "two"'),
    });
    expect(await home.cli(['start', 'one', 'two', '--', 'sleep', '60'])).toMatchObject({ exitCode: 2 });
    expect(home.processes()).toEqual([]);
  });
});

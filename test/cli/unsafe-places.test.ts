import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { snapshot } from '../support/folder-snapshot.js';
import { othersCanRun, otherUser } from '../support/other-user.js';
import { isAlive, untilDead } from '../support/processes.js';
import { commandLine } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { canMount, TinyDisk } from '../support/tiny-disk.js';
import { waitFor } from '../support/wait-for.js';

const isRoot = process.getuid?.() === 0;
const start = ['start', 'clock', '--', 'sleep', '1000'];

const someVerbs = [start, ['stop', 'clock'], ['status', 'clock']];
const everyVerb = [
  ...someVerbs,
  ['restart', 'clock'],
  ['status'],
  ['list'],
  ['logs', 'clock'],
  ['wait', 'clock'],
  ['run', 'clock', '--', 'true'],
];

const unsafeHomes: Readonly<Record<string, { why: RegExp; make: (home: TemporaryHome) => void; verbs?: string[][]; needsRoot?: boolean }>> =
  {
    'that its group may write in': {
      verbs: everyVerb,
      why: /others may write in it \(mode 0770; chmod go-w would do\)/,
      make: (home) => makeHome(home, 0o770),
    },
    'that everybody may write in': { why: /others may write in it \(mode 0707/, make: (home) => makeHome(home, 0o707) },
    'that everybody may write in, though sticky': { why: /others may write in it \(mode 1777/, make: (home) => makeHome(home, 0o1777) },
    "of another user's": {
      why: /it belongs to uid 65534, not to uid 0/,
      needsRoot: true,
      make: (home) => {
        makeHome(home, 0o700);
        chownSync(home.path, otherUser, otherUser);
      },
    },
    'behind a link to one that others may write in': {
      why: /others may write in it/,
      make: (home) => {
        mkdirSync(home.file('real'));
        chmodSync(home.file('real'), 0o777);
        symlinkSync(home.file('real'), home.path);
      },
    },
    "behind two links to another user's": {
      why: /it belongs to uid 65534/,
      needsRoot: true,
      make: (home) => {
        mkdirSync(home.file('real'));
        chownSync(home.file('real'), otherUser, otherUser);
        symlinkSync(home.file('real'), home.file('link'));
        symlinkSync('link', home.path);
      },
    },
  };

function makeHome(home: TemporaryHome, mode: number): void {
  mkdirSync(home.path);
  chmodSync(home.path, mode);
}

describe.concurrent('a home (F32, F33)', () => {
  for (const [what, { why, make, verbs = someVerbs, needsRoot }] of Object.entries(unsafeHomes)) {
    test.skipIf(needsRoot && !isRoot)(`${what} is refused, and said why (needs root: ${needsRoot === true})`, async ({ home }) => {
      make(home);
      const before = snapshot(home.folder);
      for (const args of verbs) {
        const end = await home.cli(args);
        expect([args, end.exitCode, end.stdout]).toEqual([args, 4, '']);
        expect(end.stderr).toMatch(/^daemonry: refusing to use [^\n]+\n$/);
        expect(end.stderr).toMatch(why);
        expect(end.stderr).toContain('choose another with --home or DAEMONRY_HOME');
      }
      expect(snapshot(home.folder)).toEqual(before);
      expect(home.processes()).toEqual([]);
    });
  }

  test('behind a link of the user himself is a home like any other', async ({ home }) => {
    mkdirSync(home.file('real'), { mode: 0o700 });
    symlinkSync(home.file('real'), home.path);
    const { descriptor } = await home.startSleeper('clock');
    expect(descriptor).toBe(home.at('clock', 'daemon.json'));
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
  });

  test.skipIf(!othersCanRun)(
    'of somebody else is not permitted, said in one line (F34; needs root, and a project that others may read)',
    async ({ home }) => {
      const { pid } = await home.startSleeper('clock');
      chmodSync(home.folder, 0o755);
      for (const args of [start, ['stop', 'clock'], ['status', 'clock'], ['list'], ['logs', 'clock']]) {
        const end = await home.spawn(process.execPath, [commandLine, ...args], { uid: otherUser, gid: otherUser, cwd: '/' }).end();
        expect([args, end.exitCode, end.stdout]).toEqual([args, 4, '']);
        expect(end.stderr).toMatch(new RegExp(`^daemonry: [^\n]*${home.path}[^\n]*\n$`));
      }
      expect(isAlive(pid)).toBe(true);
    },
  );
});

describe.concurrent('a file of ours that turns out to be a link (F33)', () => {
  /** Somebody's file, which must stay as it is. */
  function victim(home: TemporaryHome): string {
    return home.file('victim', 'precious\n');
  }

  function expectUntouched(home: TemporaryHome): void {
    expect(readFileSync(home.file('victim'), 'utf8')).toBe('precious\n');
    expect(statSync(home.file('victim')).mode & 0o777).toBe(0o644);
  }

  for (const file of ['daemon.log', 'lock']) {
    test(`${file}: is refused, not written through, and nothing is started`, async ({ home }) => {
      symlinkSync(victim(home), `${home.makeFolder('clock')}/${file}`);
      const end = await home.cli(start);
      expect(end).toMatchObject({ exitCode: 4, stdout: '' });
      expect(end.stderr).toMatch(new RegExp(`^daemonry: refusing to use ${home.at('clock', file)}: it is a symbolic link; [^\n]+\n$`));
      expectUntouched(home);
      expect(home.processes()).toEqual([]);
      expect(home.descriptor('clock')).toBeUndefined();
    });
  }

  for (const file of ['daemon.json', 'spec.json', 'ended']) {
    test(`${file}: is not written through by start and stop`, async ({ home }) => {
      symlinkSync(victim(home), `${home.makeFolder('clock')}/${file}`);
      expect((await home.cli(start)).exitCode).toBe(0);
      expectUntouched(home);
      expect(await home.cli(['stop', 'clock'])).toMatchObject({ exitCode: 0 });
      expectUntouched(home);
    });
  }

  test('daemon.json: reads as stale, whatever it leads to', async ({ home }) => {
    const { pid } = await home.startSleeper('real');
    symlinkSync(home.at('real', 'daemon.json'), `${home.makeFolder('clock')}/daemon.json`);
    const end = await home.cli(['status', 'clock', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json).toMatchObject({ status: 'stale', reason: 'corrupt-descriptor', pid: null });
    expect((await home.cli(['stop', 'clock'])).exitCode).toBe(0);
    expect(isAlive(pid)).toBe(true);
    expect(home.descriptor('real')).toMatchObject({ pid });
  });

  test('spec.json: is no remembered spec', async ({ home }) => {
    writeFileSync(home.file('spec'), JSON.stringify({ schema: 1, command: ['touch', home.file('executed')], cwd: '/' }));
    symlinkSync(home.file('spec'), `${home.makeFolder('clock')}/spec.json`);
    expect((await home.cli(['start', 'clock'])).exitCode).toBe(2);
    expect(readdirSync(home.folder)).not.toContain('executed');
  });

  test('daemon.log: is not read through either', async ({ home }) => {
    await home.startSleeper('clock');
    await home.stop('clock');
    rmSync(home.at('clock', 'daemon.log'));
    symlinkSync(victim(home), home.at('clock', 'daemon.log'));
    const end = await home.cli(['logs', 'clock']);
    expect(end.exitCode).toBe(4);
    expect(end.stdout + end.stderr).not.toContain('precious');
  });

  test("the daemon's folder: is refused", async ({ home }) => {
    mkdirSync(home.file('elsewhere'), { mode: 0o700 });
    mkdirSync(home.path, { mode: 0o700 });
    symlinkSync(home.file('elsewhere'), home.at('clock'));
    expect(await home.cli(start)).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringContaining(home.at('clock')) });
    expect(readdirSync(home.file('elsewhere'))).toEqual([]);
    expect(home.processes()).toEqual([]);
  });

  test("the daemon's folder: is refused where others may write in it", async ({ home }) => {
    chmodSync(home.makeFolder('clock'), 0o777);
    expect(await home.cli(start)).toMatchObject({ exitCode: 4, stdout: '', stderr: expect.stringContaining('others may write in it') });
    expect(home.processes()).toEqual([]);
  });

  test('a pipe in the place of the lock or the log holds nobody up', async ({ home }) => {
    for (const file of ['lock', 'daemon.log']) {
      execFileSync('mkfifo', [`${home.makeFolder(file)}/${file}`]);
      const end = await home.cli(['start', file, '--', 'sleep', '1000']);
      expect([end.exitCode, end.stdout]).toEqual([file === 'lock' ? 4 : 2, '']);
      expect(end.stderr).toContain(home.at(file, file));
    }
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('a disk (needs the right to mount)', () => {
  /** Runs with a home on a disk of its own. */
  async function onDisk(
    home: TemporaryHome,
    work: (disk: TinyDisk, cli: (...args: string[]) => ReturnType<TemporaryHome['cli']>) => Promise<void>,
  ) {
    const disk = new TinyDisk(home.folder);
    try {
      await work(disk, (...args) => home.cli(args, { env: { DAEMONRY_HOME: `${disk.folder}/home` } }));
    } finally {
      // What still runs there is ended before its descriptors are out of sight.
      for (const seen of home.processes()) process.kill(seen.pid, 'SIGKILL');
      disk.unmount();
    }
  }

  const fault = (errno: string) =>
    new RegExp(`^daemonry: can't write /[^\n:]+: ${errno}; (free some space|mend it), or choose another place [^\n]+\n$`);

  test.skipIf(!canMount)('that is full fails a start at once, with path and errno, and leaves nothing (F26)', async ({ home }) => {
    await onDisk(home, async (disk, cli) => {
      disk.fill();
      const end = await cli(...start);
      expect(end).toMatchObject({ exitCode: 1, stdout: '' });
      expect(end.stderr).toMatch(fault('ENOSPC'));
      expect(home.processes()).toEqual([]);
    });
  });

  test.skipIf(!canMount)('that is full, or read-only, is what doctor says is wrong (F26)', async ({ home }) => {
    await onDisk(home, async (disk, cli) => {
      await cli(...start);
      const finding = async () => (await cli('doctor', '--json')).json.findings[0];
      expect(await finding()).toBeUndefined();
      disk.fill();
      expect(await finding()).toMatchObject({
        code: 'unwritable-home',
        name: null,
        message: expect.stringMatching(/: ENOSPC$/),
        fixed: false,
      });
      expect((await finding()).hint).toContain('free some space');
      // Whoever writes keeps a disk from being made read-only.
      await cli('stop', 'clock');
      disk.makeReadOnly();
      expect(await finding()).toMatchObject({ code: 'unwritable-home', message: expect.stringMatching(/: EROFS$/) });
      expect(await cli('doctor', '--fix')).toMatchObject({ exitCode: 1, stderr: '' });
    });
  });

  test.skipIf(!canMount)(
    'that has a little room fails a start at whichever file it is over, until there is enough (F26)',
    async ({ home }) => {
      await onDisk(home, async (disk, cli) => {
        await cli(...start);
        await cli('stop', 'clock');
        disk.fill();
        const exitCodes: number[] = [];
        while (exitCodes.at(-1) !== 0 && exitCodes.length < 10) {
          disk.freePage();
          const end = await cli(...start);
          exitCodes.push(end.exitCode);
          if (end.exitCode === 0) continue;
          expect(end).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(fault('ENOSPC')) });
          expect(home.processes()).toEqual([]);
          expect((await cli('status', 'clock')).exitCode).toBe(3);
        }
        expect([exitCodes[0], exitCodes.at(-1)]).toEqual([1, 0]);
      });
    },
  );

  test.skipIf(!canMount)('that is full has a restart refused before anything is stopped (F22)', async ({ home }) => {
    await onDisk(home, async (disk, cli) => {
      await cli(...start);
      const [seen] = home.processes();
      disk.fill();
      const end = await cli('restart', 'clock');
      expect(end).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(fault('ENOSPC')) });
      expect(home.processes()).toEqual([seen]);
      expect((await cli('status', 'clock')).exitCode).toBe(0);
    });
  });

  test.skipIf(!canMount)('that is full keeps nobody from looking at a daemon and stopping it (F26)', async ({ home }) => {
    await onDisk(home, async (disk, cli) => {
      await cli(...start);
      const [seen] = home.processes();
      disk.fill();
      expect((await cli('status', 'clock')).exitCode).toBe(0);
      expect((await cli('stop', 'clock', '--json')).json.outcome).toBe('stopped');
      expect(isAlive(seen?.pid as number)).toBe(false);
      expect((await cli('status', 'clock')).exitCode).toBe(3);
    });
  });

  test.skipIf(!canMount)(
    'that is full lets why and status say that a crash is not noted yet, until there is room (F26)',
    async ({ home }) => {
      await onDisk(home, async (disk, cli) => {
        await cli('start', 'clock', '--restart', 'always', '--', 'sleep', '1000');
        const before = (await cli('status', 'clock', '--json')).json;
        disk.fill();
        process.kill(before.pid, 'SIGKILL');
        await untilDead(before.pid);
        const status = await cli('status', 'clock', '--json');
        expect(status).toMatchObject({ exitCode: 3, json: { phase: 'backoff', reason: 'awaiting-restart' } });
        expect(status.json.hint).toContain('a full disk perhaps');
        // Its supervisor tries again now and then, and holds the lock meanwhile.
        const why = await waitFor('word of it', async () => {
          const { stdout } = await cli('why', 'clock');
          return stdout.includes(`pid ${before.pid} is gone, and its supervisor has not noted yet how it ended`) && stdout;
        });
        expect(why).not.toContain('no run of it has ended yet');
        for (let pages = 0; pages < 8; pages++) disk.freePage();
        await waitFor('the next run', async () => (await cli('status', 'clock', '--json')).json.phase === 'ready');
        const { runs, unrecorded } = await waitFor('the record of the one before', async () => {
          const { json } = await cli('why', 'clock', '--json');
          return json.runs.length > 0 && json;
        });
        expect(runs).toMatchObject([{ instanceId: before.instanceId, signal: 'SIGKILL' }]);
        expect(unrecorded).toBeUndefined();
      });
    },
  );

  test.skipIf(!canMount)('that is read-only fails a start at once, with path and errno (F27)', async ({ home }) => {
    await onDisk(home, async (disk, cli) => {
      disk.makeReadOnly();
      const end = await cli(...start);
      expect(end).toMatchObject({ exitCode: 1, stdout: '' });
      expect(end.stderr).toMatch(fault('EROFS'));
      expect(home.processes()).toEqual([]);
    });
  });

  test.skipIf(!canMount)('that is read-only answers status, and names path and errno to a stop', async ({ home }) => {
    await onDisk(home, async (disk, cli) => {
      // With a log elsewhere, since a disk that is written to can not be made read-only.
      await cli('start', 'clock', '--log', '/dev/null', '--', 'sleep', '1000');
      disk.makeReadOnly();
      expect((await cli('status', 'clock')).exitCode).toBe(0);
      expect((await cli('list', '--json')).json.daemons).toHaveLength(1);
      const end = await cli('stop', 'clock');
      expect(end).toMatchObject({ exitCode: 1, stdout: '' });
      expect(end.stderr).toMatch(fault('EROFS'));
    });
  });
});

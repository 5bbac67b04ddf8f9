import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, expect } from 'vitest';
import type { ProgramEnd } from '../support/command-line.js';
import { snapshot } from '../support/folder-snapshot.js';
import { othersCanRun, otherUser } from '../support/other-user.js';
import { commandOf, isAlive, processFacts, startTokenOf, worldHere } from '../support/processes.js';
import { commandLine, fixture } from '../support/suite.js';
import { type AnyJson, type TemporaryHome, test } from '../support/temporary-home.js';
import { canMount } from '../support/tiny-disk.js';
import { waitFor } from '../support/wait-for.js';

/** A living process that has nothing to do with daemonry: leader of a group with a child. */
async function startStranger(home: TemporaryHome) {
  const program = home.spawn('sh', [fixture('forks-a-child.sh')], { detached: true });
  await program.says('child');
  const child = Number(/child (\d+)/.exec(program.stdout)?.[1]);
  return {
    pid: program.pid,
    startToken: startTokenOf(program.pid),
    isUnharmed: () => isAlive(program.pid) && isAlive(child) && !program.ended,
    async end() {
      process.kill(-program.pid, 'SIGKILL');
      await program.end();
    },
  };
}

/** Every verb that could be tempted to signal what the descriptor names. */
const tempted: readonly (readonly string[])[] = [
  ['status', 'clock'],
  ['stop', 'clock', '--grace', '0ms'],
  ['restart', 'clock', '--grace', '0ms'],
  ['start', 'clock', '--', 'sleep', '1000'],
  ['doctor', '--fix'],
  ['run', 'clock', '--', 'true'],
  ['wait', 'clock', '--for', 'stopped', '--timeout', '10ms'],
];

describe.concurrent('a stranger that has the recorded pid', () => {
  test('reads as stale, and is signalled by no verb (F1, F2)', async ({ home }) => {
    const stranger = await startStranger(home);
    for (const args of tempted) {
      const forged = home.forge('clock', { pid: stranger.pid, startToken: String(Number(stranger.startToken) - 1) });
      await home.cli(args);
      expect([args, stranger.isUnharmed()]).toEqual([args, true]);
      if (args[0] === 'status') {
        const { json, exitCode } = await home.cli(['status', 'clock', '--json']);
        expect([exitCode, json.status, json.reason, json.pid]).toEqual([1, 'stale', 'pid-reused', forged.pid]);
      }
      await home.stop('clock');
    }
    expect(stranger.isUnharmed()).toBe(true);
    await stranger.end();
  });

  test('is not taken for the daemon though it is of the same group, session and user (F2)', async ({ home }) => {
    const stranger = await startStranger(home);
    // The recorded daemon would be older than everything that lives: its group can not be theirs, for the slot is taken.
    home.forge('clock', { pid: stranger.pid, startToken: '1' });
    expect((await home.cli(['stop', 'clock', '--grace', '0ms', '--json'])).json).toMatchObject({ outcome: 'stale-cleaned', escaped: [] });
    expect(stranger.isUnharmed()).toBe(true);
    await stranger.end();
  });

  test('is the caller himself, by chance: no rival to his start, and not signalled by his stop (F6)', async ({ home }) => {
    // As in a container, where the same pids are given out again after each start.
    const script = 'sed -i "s/999999/$$/" "$1"; shift; exec "$@"';
    for (const [args, outcome] of [
      [['stop', 'clock', '--grace', '0ms', '--json'], 'stale-cleaned'],
      [['start', 'clock', '--json', '--', 'sleep', '1000'], 'started'],
    ] as const) {
      home.forge('clock', { pid: 999_999 });
      const command = [process.execPath, '--', commandLine, ...args];
      const caller = home.spawn('sh', ['-c', script, 'sh', home.at('clock', 'daemon.json'), ...command]);
      expect(await caller.end()).toMatchObject({ exitCode: 0, json: { outcome } });
    }
    expect(home.descriptor('clock').pid).toBe(home.processes()[0]?.pid);
  });

  test.for([0, 1, -1, 2 ** 31, 1.5, '12', undefined])('is reached through no pid such as %j (F10)', async (pid, { home }) => {
    const stranger = await startStranger(home);
    // Whatever would come of `kill` with it: the stranger is in nobody else's group, this very program is in ours.
    const startToken = pid === 1 ? startTokenOf(1) : stranger.startToken;
    home.forge('clock', { pid, startToken });
    const status = await home.cli(['status', 'clock', '--json']);
    expect([status.exitCode, status.json.status, status.json.reason]).toEqual([1, 'stale', 'corrupt-descriptor']);
    expect((await home.cli(['stop', 'clock', '--grace', '0ms', '--json'])).json.outcome).toBe('stale-cleaned');
    expect(stranger.isUnharmed()).toBe(true);
    await stranger.end();
  });
});

describe.concurrent('the clock of the machine', () => {
  const settings: readonly Readonly<Record<string, string>>[] = [
    { STEP_MS: String(3 * 365 * 24 * 3_600_000), TZ: 'Pacific/Kiritimati', LC_ALL: 'de_DE.UTF-8' },
    { STEP_MS: String(-3_600_000), TZ: 'America/Adak', LC_ALL: 'ja_JP.UTF-8' },
  ];

  test('may be set, in any time zone and language, without a daemon being taken for another (F3, F4)', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    for (const setting of settings) {
      const env = { ...setting, NODE_OPTIONS: `--require ${fixture('steps-the-clock.cjs')}` };
      expect((await home.cli(['status', 'clock', '--json'], { env })).json).toMatchObject({ status: 'running', pid });
      const again = await home.cli(['start', 'clock', '--json', '--', 'sleep', '1000'], { env });
      expect(again.json).toMatchObject({ outcome: 'already-running', pid });
      expect(findingsOfDaemons(await home.cli(['doctor', '--json'], { env }))).toEqual([]);
    }
    const env = { ...settings[0], NODE_OPTIONS: `--require ${fixture('steps-the-clock.cjs')}` };
    expect((await home.cli(['stop', 'clock', '--json'], { env })).json).toMatchObject({ outcome: 'stopped' });
    expect(isAlive(pid)).toBe(false);
  });
});

/** Less what is wrong with the system itself. */
function findingsOfDaemons({ json }: ProgramEnd): readonly AnyJson[] {
  return json.findings.filter(({ name }: AnyJson) => name !== null);
}

describe.concurrent('a zombie', () => {
  test('is dead: stale to status, cleaned by stop, no obstacle to start (F5)', async ({ home }) => {
    const latch = home.latch('latch');
    const parent = home.spawn('sh', [fixture('keeps-zombie.sh'), latch.path]);
    await parent.says('zombie');
    const pid = Number(/zombie (\d+)/.exec(parent.stdout)?.[1]);
    await waitFor('the parent that does not wait', () => commandOf(parent.pid) === 'sleep');
    latch.open();
    await waitFor('the zombie', () => processFacts(pid)?.state === 'Z');
    const forge = () => home.forge('clock', { pid, startToken: startTokenOf(pid) });

    forge();
    const status = await home.cli(['status', 'clock', '--json']);
    expect([status.exitCode, status.json.reason]).toEqual([1, 'process-is-a-zombie']);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stale-cleaned', escaped: [] });
    forge();
    expect((await home.startSleeper('clock')).outcome).toBe('started');
    expect(processFacts(pid)?.state).toBe('Z');
    parent.kill('SIGKILL');
    await parent.end();
  });
});

/** Expects that nobody can judge this record: every verb leaves everything as it is, until it is told to forget. */
async function expectUnknown(home: TemporaryHome, reason: string): Promise<void> {
  const before = snapshot(home.path);
  const status = await home.cli(['status', 'clock', '--json']);
  expect([status.exitCode, status.json.status, status.json.reason]).toEqual([4, 'unknown', reason]);
  const clock = home.sleeper('clock');
  for (const attempt of [() => clock.start(), () => clock.stop(), () => clock.restart(), () => clock.ensure()]) {
    await expect(attempt()).rejects.toMatchObject({ code: 'unknown-daemon', facts: { name: 'clock', reason } });
  }
  expect(snapshot(home.path)).toEqual(before);
}

describe.concurrent('a record that can not be judged from here', () => {
  const foreign: Readonly<Record<string, { reason: string; fields: () => Record<string, unknown> }>> = {
    'of another host': { reason: 'other-host', fields: () => ({ host: 'elsewhere' }) },
    'of another host and another boot': { reason: 'other-host', fields: () => ({ host: 'elsewhere', bootId: randomUUID() }) },
    'of another boot in another pid namespace': { reason: 'other-boot', fields: () => ({ bootId: randomUUID(), pidNamespace: 'pid:[1]' }) },
    'of another time namespace': { reason: 'other-time-namespace', fields: () => ({ timeNamespace: 'time:[1]' }) },
    'of a newer schema': { reason: 'newer-schema', fields: () => ({ schema: 2 }) },
  };

  for (const [what, { reason, fields }] of Object.entries(foreign)) {
    test(`${what}: is touched by nothing, and forgotten by --force without a signal (F7)`, async ({ home }) => {
      // All else being right, so that only this one difference stands between the process and a signal.
      const stranger = await startStranger(home);
      const { pid, startToken } = stranger;
      home.forge('clock', { pid, startToken, ...fields() });
      await expectUnknown(home, reason);
      const forced = await home.startSleeper('clock', '--force');
      expect(forced.outcome).toBe('started');
      expect(forced.pid).not.toBe(pid);
      expect(stranger.isUnharmed()).toBe(true);
      await stranger.end();
    });
  }

  test('is refused by every verb with exit code 1 and the way out', async ({ home }) => {
    home.forge('clock', { host: 'elsewhere' });
    for (const args of [
      ['start', 'clock', '--', 'sleep', '1000'],
      ['stop', 'clock'],
      ['restart', 'clock'],
    ]) {
      const end = await home.cli(args);
      expect([args, end.exitCode, end.stdout]).toEqual([args, 1, '']);
      expect(end.stderr).toMatch(
        /^daemonry: whether clock runs can't be told from here \(other-host\); [^\n]*daemonry start clock --force[^\n]*\n$/,
      );
    }
  });

  test('is cleared by doctor --fix without a signal', async ({ home }) => {
    const stranger = await startStranger(home);
    home.forge('clock', { pid: stranger.pid, startToken: stranger.startToken, host: 'elsewhere' });
    expect(findingsOfDaemons(await home.cli(['doctor', '--fix', '--json']))).toMatchObject([{ name: 'clock', fixed: true }]);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(3);
    expect(stranger.isUnharmed()).toBe(true);
    await stranger.end();
  });

  test('of a newer schema is kept for whoever can read it, when it is forgotten', async ({ home }) => {
    const forged = home.forge('clock', { schema: 7, shape: 'of the future' });
    await home.startSleeper('clock', '--force');

    expect(JSON.parse(readFileSync(home.at('clock', 'daemon.json.bad'), 'utf8'))).toEqual(forged);
  });
});

describe.concurrent('a record that is proven dead', () => {
  const worlds: Readonly<Record<string, { fields: () => Record<string, unknown>; env?: Record<string, string> }>> = {
    'of an earlier boot of this machine': { fields: () => ({ bootId: randomUUID() }) },
    'of an earlier container, in a home of its own': { env: { DAEMONRY_EXCLUSIVE_HOME: '1' }, fields: () => ({ pidNamespace: 'pid:[1]' }) },
    'of an earlier container and boot, in a home of its own': {
      env: { DAEMONRY_EXCLUSIVE_HOME: '1' },
      fields: () => ({ pidNamespace: 'pid:[1]', bootId: randomUUID() }),
    },
  };

  for (const [what, { fields, env = {} }] of Object.entries(worlds)) {
    test(`${what}: is stale, and the next start heals it without a signal (F1, F6)`, async ({ home }) => {
      const stranger = await startStranger(home);
      home.forge('clock', { pid: stranger.pid, startToken: stranger.startToken, ...fields() });
      const status = await home.cli(['status', 'clock', '--json'], { env });
      expect([status.exitCode, status.json.reason]).toEqual([1, 'process-gone']);
      const started = await home.cli(['start', 'clock', '--json', '--', 'sleep', '1000'], { env });
      expect(started.json.outcome).toBe('started');
      expect(stranger.isUnharmed()).toBe(true);
      await stranger.end();
    });
  }

  const canSeeAll = worldHere().pidNamespace === 'pid:[4026531836]' && process.getuid?.() === 0;

  test.skipIf(!canSeeAll)(
    'of a pid namespace below: unknown while anybody lives there, dead after (needs root of the first pid namespace)',
    async ({ home }) => {
      const container = home.spawn('unshare', ['--pid', '--fork', '--kill-child', 'sh', '-c', 'echo up; sleep 1000']);
      await container.says('up');
      const inside = (await waitFor('the process inside', () => childOf(container.pid))) as number;
      const pidNamespace = readlinkSync(`/proc/${inside}/ns/pid`);
      expect(pidNamespace).not.toBe(worldHere().pidNamespace);
      home.forge('clock', { pid: 2, startToken: '1', pidNamespace });
      await expectUnknown(home, 'other-pid-namespace');
      container.kill('SIGKILL');
      await container.end();
      await waitFor('the end of the namespace', () => !isAlive(inside));
      expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'stale', reason: 'process-gone' });
      expect((await home.startSleeper('clock')).outcome).toBe('started');
    },
  );
});

describe.skipIf(!othersCanRun)("another user's process (needs root, and a project that others may read)", () => {
  test('is alive, and not ours to stop: exit 4, and the record stays (F8, F34)', async ({ home }) => {
    const stranger = await startStranger(home);
    const asOther = (...args: string[]) =>
      home.spawn(process.execPath, [commandLine, ...args, '--json'], { uid: otherUser, gid: otherUser, cwd: '/' }).end();
    const forged = home.forge('clock', { pid: stranger.pid, startToken: stranger.startToken, uid: otherUser });
    for (const path of [home.path, home.at('clock'), home.at('clock', 'daemon.json')]) chownSync(path, otherUser, otherUser);
    chmodSync(home.folder, 0o755);
    const status = await asOther('status', 'clock');
    expect([status.exitCode, status.json.status, status.json.pid]).toEqual([0, 'running', stranger.pid]);
    const stop = await asOther('stop', 'clock');
    expect([stop.exitCode, stop.json.error.code, stop.json.error.pid]).toEqual([4, 'not-permitted', stranger.pid]);
    expect(home.descriptor('clock')).toMatchObject(forged);
    expect(stranger.isUnharmed()).toBe(true);
    await stranger.end();
  });

  test.skipIf(!canMount)(
    'that is hidden can not be told: nothing is touched, and no second started (F8; needs the right to mount)',
    async ({ home }) => {
      const stranger = await startStranger(home);
      const forged = home.forge('clock', { pid: stranger.pid, startToken: stranger.startToken, uid: otherUser });
      for (const path of [home.path, home.at('clock'), home.at('clock', 'daemon.json')]) chownSync(path, otherUser, otherUser);
      chmodSync(home.folder, 0o755);
      const become = `mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid ${otherUser} --regid ${otherUser} --clear-groups "$@"`;
      const asOther = (...args: string[]) => {
        const command = [process.execPath, commandLine, ...args, '--json'];
        return home.spawn('unshare', ['--mount', 'sh', '-c', become, 'sh', ...command], { cwd: '/' }).end();
      };
      const status = await asOther('status', 'clock');
      expect([status.exitCode, status.json.status, status.json.reason]).toEqual([4, 'unknown', 'hidden-process']);
      for (const verb of ['stop', 'restart', 'start']) {
        const end = await asOther(verb, 'clock');
        expect([verb, end.exitCode, end.json.error.code]).toEqual([verb, 1, 'unknown-daemon']);
      }
      expect(home.descriptor('clock')).toEqual(forged);
      expect(home.processes()).toEqual([]);
      await stranger.end();
    },
  );
});

describe.skipIf(!canMount)(
  'a container that is started again on the same home (needs the right to make namespaces)',
  { concurrent: true },
  () => {
    /** Runs the command line as the first process of a pid namespace: with its end, everything in it ends. */
    function inContainer(home: TemporaryHome, args: readonly string[], env: Record<string, string> = {}) {
      const command = ['--pid', '--fork', '--mount-proc', process.execPath, commandLine, ...args];
      return home.spawn('unshare', command, { env }).end();
    }

    test('can not tell what became of the daemon of the one before (F6)', async ({ home }) => {
      // Forged, since the kernel may give a new namespace the number of one that has ended.
      const forged = home.forge('clock', { pidNamespace: 'pid:[1]', host: hostname() });
      const status = await inContainer(home, ['status', 'clock', '--json']);
      expect([status.exitCode, status.json.status, status.json.reason]).toEqual([4, 'unknown', 'other-pid-namespace']);
      expect((await inContainer(home, ['start', 'clock', '--', 'sleep', '1000'])).exitCode).toBe(1);
      expect(home.descriptor('clock')).toEqual(forged);
    });

    test('heals by itself where the home is known to be its own (F6)', async ({ home }) => {
      const env = { DAEMONRY_EXCLUSIVE_HOME: '1' };
      const first = (await inContainer(home, ['start', 'clock', '--json', '--', 'sleep', '1000'], env)).json;
      const status = await inContainer(home, ['status', 'clock', '--json'], env);
      expect([status.exitCode, status.json.status]).toEqual([1, 'stale']);
      const second = (await inContainer(home, ['start', 'clock', '--json'], env)).json;
      expect(second.outcome).toBe('started');
      expect(second.instanceId).not.toBe(first.instanceId);
    });
  },
);

function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? undefined : Number(children.split(' ')[0]);
}

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { snapshot } from '../support/folder-snapshot.js';
import { isAlive, processFacts, untilDead } from '../support/processes.js';
import { fixture, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

/** Starts a fixture that prints `child <pid>`. */
async function startFamily(home: TemporaryHome, file: string, ...args: string[]) {
  const { pid } = await home.start('clock', ['sh', fixture(file), ...args], '--ready', 'log:^child');
  const child = Number(/child (\d+)/.exec(home.log('clock'))?.[1]);
  await waitFor('the child', () => isAlive(child));
  return { pid, child };
}

/** It is known by its pid before it has left the group. */
async function untilEscaped(child: number): Promise<void> {
  await waitFor('the child to leave the group', () => processFacts(child)?.processGroup === child);
}

function threadsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).length;
  } catch {
    // Reaped by now.
    return 0;
  }
}

const hasPython = spawnSync('python3', ['-c', 'import ctypes, threading']).status === 0;

describe.concurrent('stop', () => {
  test.skipIf(!hasPython)('ends a daemon whose first thread has ended, which looks like a zombie (needs python3)', async ({ home }) => {
    const lines = [
      'import ctypes, threading, time',
      'threading.Thread(target=lambda: time.sleep(1000)).start()',
      'ctypes.CDLL(None).pthread_exit(None)',
    ];
    const { pid } = await home.start('clock', ['python3', '-c', lines.join('\n')]);
    await waitFor('the end of its first thread', () => processFacts(pid)?.state === 'Z');
    expect(threadsOf(pid)).toBe(2);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(0);
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect(threadsOf(pid)).toBeLessThanOrEqual(1);
  });

  test('answers with exactly the agreed JSON, and leaves only what is remembered', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const end = await home.cli(['stop', 'clock', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json).toEqual({ schema: 1, name: 'clock', outcome: 'stopped', status: 'stopped', escaped: [] });
    expect(isAlive(pid)).toBe(false);
    expect(home.filesOf('clock').filter((file) => !['lock', 'runs.ndjson'].includes(file))).toEqual(['daemon.log', 'spec.json']);
  });

  test('says so in one line', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    expect(await home.cli(['stop', 'clock'])).toMatchObject({ exitCode: 0, stdout: `clock stopped (pid ${pid})\n`, stderr: '' });
  });

  test('kills leader and children that ignore SIGTERM once the grace is over (F47)', async ({ home }) => {
    const { pid, child } = await startFamily(home, 'ignores-sigterm.sh');
    const end = await home.cli(['stop', 'clock', '--grace', '150ms', '--json']);
    expect(end.exitCode).toBe(0);
    expect(end.json).toMatchObject({ outcome: 'killed', status: 'stopped', escaped: [] });
    expect([isAlive(pid), isAlive(child)]).toEqual([false, false]);
  });

  test('says that it had to kill', async ({ home }) => {
    const { pid } = await startFamily(home, 'ignores-sigterm.sh');
    const end = await home.cli(['stop', 'clock', '--grace', '50ms']);
    expect(end).toMatchObject({ exitCode: 0, stdout: `clock killed (pid ${pid}): it did not end within its grace\n` });
  });

  test('gives the grace that the daemon was started with', async ({ home }) => {
    await home.start('clock', ['sh', fixture('ignores-sigterm.sh')], '--ready', 'log:^child', '--grace', '60ms');
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('killed');
  });

  test('waits out a daemon that takes its time within the grace', async ({ home }) => {
    const latch = home.latch('latch');
    const script = 'trap "echo ending; read -r _ <\\"$1\\"; echo ended; exit 0" TERM; echo trapping; while :; do sleep 1000 & wait; done';
    const { pid } = await home.start('clock', ['sh', '-c', script, 'sh', latch.path], '--ready', 'log:trapping');
    const stop = home.spawnCli(['stop', 'clock', '--json']);
    await home.logSays('clock', 'ending');
    expect((await home.cli(['status', 'clock'])).stdout).toBe(`clock is running (pid ${pid}, stopping)\n`);
    latch.open();
    expect((await stop.end()).json.outcome).toBe('stopped');
    expect(home.log('clock')).toContain('ended');
  });

  test('sends the signal that the daemon was started with', async ({ home }) => {
    await home.start('clock', ['sh', fixture('prints-its-trap.sh')], '--stop-signal', 'SIGUSR1', '--ready', 'log:trapping');
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect(home.log('clock')).toContain('caught USR1');
    expect(home.log('clock')).not.toContain('caught TERM');
  });

  test('takes the children too when the leader goes by itself at the first signal', async ({ home }) => {
    const { pid, child } = await startFamily(home, 'forks-a-child.sh');
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped', escaped: [] });
    expect([isAlive(pid), isAlive(child)]).toEqual([false, false]);
  });

  test('ends a child that left the group, and names it (F47)', async ({ home }) => {
    const { pid, child } = await startFamily(home, 'child-escapes.sh');
    await untilEscaped(child);
    const end = await home.cli(['stop', 'clock', '--json']);
    expect(end.json).toMatchObject({ outcome: 'stopped', escaped: [child] });
    expect([isAlive(pid), isAlive(child)]).toEqual([false, false]);
  });

  test('names what had left the group to people, too', async ({ home }) => {
    const { pid, child } = await startFamily(home, 'child-escapes.sh');
    await untilEscaped(child);
    const end = await home.cli(['stop', 'clock']);
    expect(end.stdout).toBe(`clock stopped (pid ${pid}); ended outside its process group too: pid ${child}\n`);
  });

  test('ends the children of a leader that left them behind (F47)', async ({ home }) => {
    const latch = home.latch('latch');
    const { pid, child } = await startFamily(home, 'leader-leaves.sh', latch.path);
    latch.open();
    await untilDead(pid);
    expect(isAlive(child)).toBe(true);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(1);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stale-cleaned', status: 'stopped' });
    expect(isAlive(child)).toBe(false);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('asks a daemon that speaks the control protocol before it signals', async ({ home }) => {
    await home.start('clock', [process.execPath, fixture('serves.mjs'), serveFile], '--ready', 'socket');
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect(home.log('clock')).toContain('stopping: shutdown');
    expect(home.filesOf('clock').filter((file) => file.endsWith('.sock'))).toEqual([]);
  });

  test('signals a daemon whose socket nobody answers', async ({ home }) => {
    const latch = home.latch('latch');
    latch.open();
    const silent = [process.execPath, fixture('listens.mjs'), 'socket', '0', latch.path];
    const { pid, socket } = await home.start('clock', silent, '--ready', 'socket');
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect([isAlive(pid), existsSync(socket)]).toEqual([false, false]);
  });

  test('does not take a daemon that ended by itself, cleanly, for a stale one (F42)', async ({ home }) => {
    const { pid } = await home.start('clock', [process.execPath, fixture('serves.mjs'), serveFile], '--ready', 'socket');
    process.kill(pid, 'SIGTERM');
    await untilDead(pid);
    const status = await home.cli(['status', 'clock', '--json']);
    expect(status.exitCode).toBe(3);
    expect(status.json).toMatchObject({ status: 'stopped', pid: null, reason: 'ended-cleanly' });
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('already-stopped');
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('keeps the remembered spec and the log', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'echo once; exec sleep 1000'], '--ready', 'log:once');
    await home.stop('clock');
    expect(existsSync(home.at('clock', 'spec.json'))).toBe(true);
    expect(home.log('clock')).toBe('once\n');
  });
});

describe.concurrent('stop of a daemon that another version started', () => {
  test('reads a record of the first release, and keeps what it does not know (F51)', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const { ready, logOffset, notifyFile, stop, ...first } = home.descriptor('clock');
    expect([ready, logOffset, notifyFile, stop]).toEqual(['exec', 0, null, { signal: 'SIGTERM', graceMs: 10_000 }]);
    home.writeRaw('clock', JSON.stringify({ ...first, mood: 'good' }));
    expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'running', pid });
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped' });
    expect(isAlive(pid)).toBe(false);
  });

  test('asks one that speaks a later protocol all the same (F51)', async ({ home }) => {
    await home.start('clock', [process.execPath, fixture('speaks-protocol-99.mjs')], '--ready', 'socket');
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped' });
    expect(home.log('clock')).toBe('asked to end\n');
  });
});

describe.concurrent('stop of several', () => {
  test('answers for each of them, in order', async ({ home }) => {
    await Promise.all([home.startSleeper('one'), home.startSleeper('two')]);
    const end = await home.cli(['stop', 'two', 'never', 'one', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json).toEqual({
      schema: 1,
      results: [
        { name: 'two', outcome: 'stopped', status: 'stopped', escaped: [] },
        { name: 'never', outcome: 'already-stopped', status: 'stopped', escaped: [] },
        { name: 'one', outcome: 'stopped', status: 'stopped', escaped: [] },
      ],
    });
    expect(home.processes()).toEqual([]);
  });

  test('stops what it can, and exits with the worst', async ({ home }) => {
    const { pid } = await home.startSleeper('good');
    home.forge('foreign', { host: 'elsewhere' });
    const end = await home.cli(['stop', 'foreign', 'good', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json.results).toEqual([
      { name: 'foreign', error: expect.objectContaining({ code: 'unknown-daemon', name: 'foreign', reason: 'other-host' }) },
      { name: 'good', outcome: 'stopped', status: 'stopped', escaped: [] },
    ]);
    expect(isAlive(pid)).toBe(false);
  });

  test('tells people one line for each, failures on stderr', async ({ home }) => {
    const { pid } = await home.startSleeper('good');
    home.forge('foreign', { host: 'elsewhere' });
    const end = await home.cli(['stop', 'foreign', 'good']);
    expect(end).toMatchObject({ exitCode: 1, stdout: `good stopped (pid ${pid})\n` });
    expect(end.stderr).toMatch(/^warning: whether foreign runs can't be told from here \(other-host\); .*\n$/);
  });

  test('--all stops every daemon of the home', async ({ home }) => {
    await Promise.all([home.startSleeper('one'), home.startSleeper('two')]);
    home.forge('three');
    const end = await home.cli(['stop', '--all', '--json']);
    expect(end.exitCode).toBe(0);
    const outcomes = end.json.results.map(({ name, outcome }: Record<string, string>) => [name, outcome]);
    expect(outcomes).toEqual([
      ['one', 'stopped'],
      ['three', 'stale-cleaned'],
      ['two', 'stopped'],
    ]);
    expect(home.processes()).toEqual([]);
  });

  test('--all of none is a success that writes nothing', async ({ home }) => {
    expect((await home.cli(['stop', '--all', '--json'])).json).toEqual({ schema: 1, results: [] });
    expect(existsSync(home.path)).toBe(false);
  });

  test('stops none where one of the names can not be one', async ({ home }) => {
    const { pid } = await home.startSleeper('good');
    const before = snapshot(home.path);
    expect(await home.cli(['stop', 'good', '../bad'])).toMatchObject({ exitCode: 2, stdout: '' });
    expect(snapshot(home.path)).toEqual(before);
    expect(isAlive(pid)).toBe(true);
  });
});

import { appendFileSync, existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { composeMachine } from '../../src/app/composition/compose.js';
import { machineSettings } from '../../src/app/composition/settings.js';
import { canShorten } from '../adapters/files/support/test-where.js';
import { commandLine } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const counting = (from: number, to: number, then = 'exec sleep 1000') => [
  'sh',
  '-c',
  `i=${from}; while [ $i -le ${to} ]; do echo "line $i"; i=$((i+1)); done; ${then}`,
];

function startCounting(home: TemporaryHome, from: number, to: number, ...options: string[]) {
  return home.start('clock', counting(from, to), '--ready', `log:^line ${to}$`, ...options);
}

const linesFrom = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);

const textFrom = (from: number, to: number) => `${linesFrom(from, to).join('\n')}\n`;

describe.concurrent('logs', () => {
  test('shows the last ten lines', async ({ home }) => {
    await startCounting(home, 1, 15);
    expect(await home.cli(['logs', 'clock'])).toMatchObject({ exitCode: 0, stdout: `${linesFrom(6, 15).join('\n')}\n`, stderr: '' });
  });

  test('answers with exactly the agreed JSON', async ({ home }) => {
    await startCounting(home, 1, 15);
    const end = await home.cli(['logs', 'clock', '-n', '3', '--json']);
    expect(end.json).toEqual({ schema: 1, name: 'clock', lines: linesFrom(13, 15) });
  });

  test('shows as many lines as there are, or none, as it is asked', async ({ home }) => {
    await startCounting(home, 1, 5);
    expect((await home.cli(['logs', 'clock', '-n', '100'])).stdout).toBe(`${linesFrom(1, 5).join('\n')}\n`);
    expect(await home.cli(['logs', 'clock', '-n', '0'])).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('holds output and errors in the order of writing', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'echo one; echo two >&2; echo three; exec sleep 1000'], '--ready', 'log:three');
    expect((await home.cli(['logs', 'clock'])).stdout).toBe('one\ntwo\nthree\n');
  });

  test('needs no running daemon', async ({ home }) => {
    await startCounting(home, 1, 2);
    await home.stop('clock');
    expect(await home.cli(['logs', 'clock'])).toMatchObject({ exitCode: 0, stdout: 'line 1\nline 2\n' });
  });

  test('of a daemon that never wrote is empty', async ({ home }) => {
    await home.startSleeper('clock');
    expect((await home.cli(['logs', 'clock', '--json'])).json).toEqual({ schema: 1, name: 'clock', lines: [] });
  });

  test('of a name never known fails with not-found', async ({ home }) => {
    const end = await home.cli(['logs', 'clock', '--json']);
    expect(end.exitCode).toBe(1);
    expect(end.json.error).toMatchObject({ code: 'not-found', name: 'clock' });
    expect(existsSync(home.path)).toBe(false);
  });

  test('reads on in older files where the current one is too short', async ({ home }) => {
    await startCounting(home, 1, 100);
    await home.stop('clock');
    await startCounting(home, 101, 105, '--log-max-size', '64B');
    expect(readFileSync(home.at('clock', 'daemon.log.1'), 'utf8')).toContain('line 100\n');
    expect((await home.cli(['logs', 'clock', '-n', '8'])).stdout).toBe(`${linesFrom(98, 105).join('\n')}\n`);
  });
});

describe.concurrent('logs --follow', () => {
  test('shows the last lines, then what is written, and ends well by Ctrl-C', async ({ home }) => {
    await startCounting(home, 1, 12);
    const follower = home.spawnCli(['logs', 'clock', '-f', '-n', '2']);
    await follower.says('line 12\n');
    appendFileSync(home.at('clock', 'daemon.log'), 'later\n');
    await follower.says('later\n');
    follower.kill('SIGINT');
    expect(await follower.end()).toMatchObject({ exitCode: 0, stdout: 'line 11\nline 12\nlater\n', stderr: '' });
  });

  test('goes on over a restart with rotation, and loses and doubles nothing', async ({ home }) => {
    await startCounting(home, 1, 50, '--log-max-size', '100B', '--log-keep', '2');
    const follower = home.spawnCli(['logs', 'clock', '--follow', '--lines', '1']);
    await follower.says('line 50\n');
    const log = home.at('clock', 'daemon.log');
    appendFileSync(log, 'before the restart\n');
    await home.stop('clock');
    await home.cli(['start', 'clock']);
    await home.logSays('clock', 'line 50\n');
    expect(existsSync(`${log}.1`)).toBe(true);
    appendFileSync(log, 'after the restart\n');
    await follower.says('after the restart\n');
    follower.kill('SIGTERM');
    const end = await follower.end();
    const expected = ['line 50', 'before the restart', ...linesFrom(1, 50), 'after the restart'];
    expect(end).toMatchObject({ exitCode: 0, stdout: `${expected.join('\n')}\n` });
  });

  test('goes on over a rotation by others', async ({ home }) => {
    await startCounting(home, 1, 1);
    const log = home.at('clock', 'daemon.log');
    const follower = home.spawnCli(['logs', 'clock', '-f']);
    await follower.says('line 1\n');
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, 'the last of the old\n');
    writeFileSync(log, 'the first of the new\n');
    await follower.says('the first of the new\n');
    follower.kill('SIGINT');
    expect((await follower.end()).stdout).toBe('line 1\nthe last of the old\nthe first of the new\n');
  });

  test('ends without a word when its reader is gone', async ({ home }) => {
    await startCounting(home, 1, 3);
    const script = '"$0" "$1" logs clock -f 2>"$2" | head -n 1; wait; echo "ended"';
    const shell = home.spawn('sh', ['-c', script, process.execPath, commandLine, home.file('errors')]);
    await shell.says('line 1\n');
    await waitFor('the end of the follower', () => {
      appendFileSync(home.at('clock', 'daemon.log'), 'more\n');
      return shell.ended;
    });
    expect(await shell.end()).toMatchObject({ exitCode: 0, stdout: 'line 1\nended\n' });
    expect(readFileSync(home.file('errors'), 'utf8')).toBe('');
  });

  test('gives no JSON', async ({ home }) => {
    await home.startSleeper('clock');
    const end = await home.cli(['logs', 'clock', '-f', '--json']);
    expect(end.exitCode).toBe(2);
    expect(end.json.error.code).toBe('usage');
  });
});

describe.concurrent('logs of several daemons', () => {
  const saying = (...lines: readonly string[]) => ['sh', '-c', `printf '%s\\n' "$@"; exec sleep 1000`, 'sh', ...lines];

  test('come one after the other, each line with its name, and as results in JSON', async ({ home }) => {
    await home.start('web', saying('w1', 'w2'), '--ready', 'log:w2');
    await home.start('worker', saying('k1'), '--ready', 'log:k1');
    const text = 'web    | w1\nweb    | w2\nworker | k1\n';
    expect(await home.cli(['logs', 'web', 'worker', 'web'])).toMatchObject({ exitCode: 0, stdout: text, stderr: '' });
    const results = [
      { name: 'web', lines: ['w2'] },
      { name: 'worker', lines: ['k1'] },
    ];
    expect((await home.cli(['logs', 'web', 'worker', '-n', '1', '--json'])).json).toEqual({ schema: 1, results });
    expect((await home.cli(['logs', 'web', 'nobody', '--json'])).json.error).toMatchObject({ code: 'not-found', name: 'nobody' });
  });

  test('are followed together, line by line', async ({ home }) => {
    await home.start('web', saying('w1'), '--ready', 'log:w1');
    await home.start('worker', saying('k1'), '--ready', 'log:k1');
    const follower = home.spawnCli(['logs', 'web', 'worker', '-f']);
    await follower.says('worker | k1\n');
    appendFileSync(home.at('web', 'daemon.log'), 'half');
    appendFileSync(home.at('worker', 'daemon.log'), 'k2\n');
    await follower.says('worker | k2\n');
    appendFileSync(home.at('web', 'daemon.log'), ' and half\n');
    await follower.says('web    | half and half\n');
    follower.kill('SIGINT');
    const expected = 'web    | w1\nworker | k1\nworker | k2\nweb    | half and half\n';
    expect(await follower.end()).toMatchObject({ exitCode: 0, stdout: expected });
  });

  test('are coloured by name on a terminal, unless NO_COLOR asks for none', async ({ home }) => {
    await home.start('web', saying('w1'), '--ready', 'log:w1');
    await home.start('worker', saying('k1'), '--ready', 'log:k1');
    const args = ['logs', 'web', 'worker'];
    const colours = async (env: Record<string, string>) => (await home.cli(args, { env })).stdout.includes(String.fromCharCode(27));
    expect([await colours({}), await colours({ FORCE_COLOR: '1' }), await colours({ FORCE_COLOR: '1', NO_COLOR: '1' })]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe.concurrent('logs --grep', () => {
  test('shows the last lines in which it is found, of all files', async ({ home }) => {
    await startCounting(home, 1, 120);
    await home.stop('clock');
    await startCounting(home, 121, 130, '--log-max-size', '64B');
    const found = ['line 107', 'line 117', 'line 127'];
    expect((await home.cli(['logs', 'clock', '--grep', '7$', '-n', '3'])).stdout).toBe(`${found.join('\n')}\n`);
    expect((await home.cli(['logs', 'clock', '--grep', '7$', '-n', '3', '--json'])).json).toEqual({
      schema: 1,
      name: 'clock',
      lines: found,
    });
    expect(await home.cli(['logs', 'clock', '--grep', 'nothing'])).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('is followed', async ({ home }) => {
    await startCounting(home, 1, 20);
    const follower = home.spawnCli(['logs', 'clock', '-f', '--grep', '0']);
    await follower.says('line 20\n');
    appendFileSync(home.at('clock', 'daemon.log'), 'line 21\nline 30\n');
    await follower.says('line 30\n');
    follower.kill('SIGINT');
    expect((await follower.end()).stdout).toBe('line 10\nline 20\nline 30\n');
  });

  test('reads more short lines than a stack takes', async ({ home }) => {
    await startCounting(home, 1, 1);
    appendFileSync(home.at('clock', 'daemon.log'), 'x\n'.repeat(400_000));
    for (const option of [
      ['--grep', 'x'],
      ['--since', '1h'],
    ]) {
      expect(await home.cli(['logs', 'clock', '-n', '2', ...option])).toMatchObject({ exitCode: 0, stdout: 'x\nx\n' });
    }
  });

  test('that comes to no end is given up with one line', async ({ home }) => {
    await home.start('clock', ['sh', '-c', `echo ${'a'.repeat(60)}b; exec sleep 1000`], '--ready', 'log:b');
    const end = await home.cli(['logs', 'clock', '--grep', '^(a+)+$']);
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toMatch(/^daemonry: --grep "\^\(a\+\)\+\$" comes to no end [^\n]+\n$/);
  });
});

describe.concurrent('the times of a log', () => {
  const minuteMs = 60_000;

  /** As whoever polls notes them: ten lines each minute, the last ones now. */
  async function startTimed(home: TemporaryHome): Promise<number> {
    await startCounting(home, 1, 30);
    const ends = [10, 20, 30].map((last) => textFrom(1, last).length);
    const nowMs = Date.now();
    writeFileSync(home.at('clock', 'daemon.log.times'), ends.map((end, index) => `${nowMs - (2 - index) * minuteMs} ${end}\n`).join(''));
    return nowMs;
  }

  test('--since shows what was written since, in full', async ({ home }) => {
    const nowMs = await startTimed(home);
    const since = async (value: string) => (await home.cli(['logs', 'clock', '--since', value, '--json'])).json.lines;
    expect(await since('90s')).toEqual(linesFrom(11, 30));
    expect(await since('1d')).toEqual(linesFrom(1, 30));
    expect(await since(new Date(nowMs - 30_000).toISOString())).toEqual(linesFrom(21, 30));
    expect(await since(new Date(nowMs + minuteMs).toISOString())).toEqual([]);
    expect((await home.cli(['logs', 'clock', '--since', '90s', '-n', '2', '--grep', '1'])).stdout).toBe('line 19\nline 21\n');
  });

  test('--timestamps tells by when each line was there', async ({ home }) => {
    const nowMs = await startTimed(home);
    const end = await home.cli(['logs', 'clock', '-n', '11', '--timestamps']);
    const first = new Date(nowMs - minuteMs).toISOString();
    expect(end.stdout.split('\n').slice(0, 2)).toEqual([`${first} line 20`, expect.stringMatching(/^\d{4}-\S+Z line 21$/)]);
    expect(end.stderr).toBe('');
  });

  test('that nobody noted are said to be missing, and files that were not written to since are left out', async ({ home }) => {
    await startCounting(home, 1, 3);
    const stamped = await home.cli(['logs', 'clock', '--timestamps']);
    expect(stamped).toMatchObject({ exitCode: 0, stdout: textFrom(1, 3) });
    expect(stamped.stderr).toMatch(/^warning: the log of clock has no times[^\n]*\n$/);
    const since = await home.cli(['logs', 'clock', '--since', '1h']);
    expect(since.stdout).toBe(textFrom(1, 3));
    expect(since.stderr).toMatch(/^warning: the log of clock has no times[^\n]*whole files[^\n]*\n$/);
    expect((await home.cli(['logs', 'clock', '--since', '2099-01-01'])).stdout).toBe('');
  });
});

describe.concurrent('a log that is rotated while its daemon writes', () => {
  const target = { ref: { name: 'clock' }, file: null, maxBytes: 40_000, keep: 50 };

  async function rotate(home: TemporaryHome): Promise<void> {
    const { logs, lock } = composeMachine(machineSettings({ home: home.path }));
    const held = await lock.acquire(target.ref, { timeoutMs: 30_000 });
    await logs.noteTime(home.at('clock', 'daemon.log'));
    await logs.rotate(held, target);
    await held.release();
  }

  test.skipIf(!canShorten('punch'))('is one log for every verb [needs fallocate]', async ({ home }) => {
    await startCounting(home, 1, 3_000);
    const follower = home.spawnCli(['logs', 'clock', '-f', '-n', '5000']);
    await follower.says('line 3000\n');
    const log = home.at('clock', 'daemon.log');
    appendFileSync(log, textFrom(3_001, 6_000));
    await rotate(home);
    appendFileSync(log, textFrom(6_001, 9_000));
    await rotate(home);
    expect(existsSync(`${log}.1`)).toBe(true);
    await follower.says('line 9000\n');
    follower.kill('SIGINT');
    expect((await follower.end()).stdout).toBe(textFrom(1, 9_000));
    expect((await home.cli(['logs', 'clock', '-n', '8000'])).stdout).toBe(textFrom(1_001, 9_000));
    expect((await home.cli(['logs', 'clock', '--since', '1h', '--grep', '999$'])).stdout.split('\n').length).toBe(10);
    // The next run is told from this one by its offset.
    await home.stop('clock');
    const end = await home.cli(['start', 'clock', '--json', '--ready', 'notify', '--', 'sh', '-c', 'echo oops; exit 3']);
    expect(end.json.error).toMatchObject({ code: 'ended-before-ready', logTail: ['oops'] });
  });
});

describe.concurrent('the log', () => {
  test('is rotated at the next start once it is too large, and only so many are kept (F36)', async ({ home }) => {
    const log = home.at('clock', 'daemon.log');
    for (const first of [1, 101, 201, 301]) {
      await startCounting(home, first, first + 99, '--log-max-size', '512B', '--log-keep', '2');
      await home.stop('clock');
    }
    expect(readFileSync(log, 'utf8')).toBe(textFrom(301, 400));
    expect(readFileSync(`${log}.1`, 'utf8')).toBe(textFrom(201, 300));
    expect(readFileSync(`${log}.2`, 'utf8')).toBe(textFrom(101, 200));
    expect(existsSync(`${log}.3`)).toBe(false);
  });

  test('is appended to while it is small enough', async ({ home }) => {
    await startCounting(home, 1, 2);
    await home.stop('clock');
    await startCounting(home, 3, 4);
    expect(home.log('clock')).toBe('line 1\nline 2\nline 3\nline 4\n');
    expect(home.filesOf('clock')).not.toContain('daemon.log.1');
  });

  test('keeps nothing old with --log-keep 0', async ({ home }) => {
    await startCounting(home, 1, 20);
    await home.stop('clock');
    await startCounting(home, 21, 22, '--log-max-size', '10B', '--log-keep', '0');
    expect(home.log('clock')).toBe('line 21\nline 22\n');
    expect(home.filesOf('clock').filter((file) => file.startsWith('daemon.log.'))).toEqual([]);
  });

  test('is the file that --log names, which may be a link of the user', async ({ home }) => {
    home.file('real.log', 'was there\n');
    symlinkSync(home.file('real.log'), home.file('mine.log'));
    const { log } = await startCounting(home, 1, 1, '--log', 'mine.log');
    expect(log).toBe(home.file('real.log'));
    expect(readFileSync(log, 'utf8')).toBe('was there\nline 1\n');
    expect((await home.cli(['logs', 'clock', '-n', '1'])).stdout).toBe('line 1\n');
    await home.stop('clock');
    expect((await home.cli(['logs', 'clock', '-n', '1'])).stdout).toBe('line 1\n');
  });

  test('made for --log is readable by its owner only', async ({ home }) => {
    const { log } = await startCounting(home, 1, 1, '--log', home.file('own.log'));
    expect(statSync(log).mode & 0o777).toBe(0o600);
  });

  test('that is no regular file is refused, and nothing is started', async ({ home }) => {
    const { path } = home.latch('fifo');
    const end = await home.cli(['start', 'clock', '--log', path, '--json', '--', 'sleep', '1000']);
    expect(end.exitCode).toBe(2);
    expect(end.json.error).toMatchObject({ code: 'invalid-spec', path });
    expect(home.processes()).toEqual([]);
  });
});

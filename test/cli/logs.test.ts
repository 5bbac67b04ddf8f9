import { appendFileSync, existsSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
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

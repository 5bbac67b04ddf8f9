import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { test } from '../support/temporary-home.js';
import { atOnce, endsAtLatch, killNow, nextRun, recordedRuns, runsOf, startKept } from './support/supervised.js';

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

describe.concurrent('why', () => {
  test('tells of a stop, and who stopped it', async ({ home }) => {
    const { pid, instanceId } = await home.start('clock', ['sh', '-c', 'echo up; exec sleep 1000'], '--ready', 'log:up');
    const stop = home.spawnCli(['stop', 'clock']);
    await stop.end();
    const end = await home.cli(['why', 'clock', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json).toEqual({
      schema: 1,
      name: 'clock',
      runs: [
        {
          instanceId,
          pid,
          startedAt: time,
          endedAt: time,
          exitCode: null,
          signal: null,
          cause: 'stop',
          logTail: ['up'],
          decision: `stopped by pid ${stop.pid}`,
        },
      ],
    });
    expect((await home.cli(['why', 'clock'])).stdout).toMatch(
      new RegExp(`^clock is stopped\n\\S+Z {2}pid ${pid} was stopped after \\S+: stopped by pid ${stop.pid}\n {2}\\| up\n$`),
    );
  });

  test('tells of a stop that had to kill, of a restart, and of a start that failed', async ({ home }) => {
    const command = ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 1000 & wait; done'];
    await home.start('clock', command, '--ready', 'log:up', '--grace', '40ms');
    await home.cli(['restart', 'clock']);
    await home.cli(['stop', 'clock']);
    await home.cli(['start', 'clock', '--ready', 'log:up', '--', 'sh', '-c', 'echo oh >&2; exit 3']);
    const { runs } = (await home.cli(['why', 'clock', '--json'])).json;
    expect(runs).toMatchObject([
      { cause: 'crash', exitCode: 3, signal: null, logTail: ['oh'], decision: 'it ended before it was ready, and its start failed' },
      { cause: 'stop', decision: expect.stringMatching(/^stopped by pid \d+, and killed, since it did not end within its grace$/) },
      { cause: 'stop', decision: expect.stringMatching(/^restarted by pid \d+, and killed/) },
    ]);
  });

  test('tells of a crash with its exit code and its last lines, and of a signal, the newest first', async ({ home }) => {
    const latch = home.latch('latch');
    const script = `echo one; echo two; read -r _ <'${latch.path}'; echo last words >&2; exit 41`;
    const first = await startKept(home, 'clock', ['sh', '-c', script], '--ready', 'log:two', ...atOnce);
    latch.open();
    const second = await nextRun(home, 'clock', first);
    await killNow(second.pid);
    const third = await nextRun(home, 'clock', second);
    await recordedRuns(home, 'clock', 2);
    const { runs } = (await home.cli(['why', 'clock', '--json'])).json;
    expect(runs).toMatchObject([
      { instanceId: second.instanceId, pid: second.pid, cause: 'crash', exitCode: null, signal: 'SIGKILL', logTail: ['one', 'two'] },
      { instanceId: first.instanceId, pid: first.pid, cause: 'crash', exitCode: 41, signal: null, logTail: ['one', 'two', 'last words'] },
    ]);
    const said = (await home.cli(['why', 'clock'])).stdout;
    expect(said).toMatch(new RegExp(`^clock is running \\(pid ${third.pid}\\)\n`));
    expect(said).toMatch(new RegExp(`pid ${second.pid} crashed \\(SIGKILL\\) after \\S+: restarted at once\n`));
    expect(said).toMatch(
      new RegExp(`pid ${first.pid} crashed \\(exit code 41\\) after \\S+: restarted at once\n  \\| one\n  \\| two\n  \\| last words\n`),
    );
    expect((await home.cli(['why', 'clock', '-n', '1', '--json'])).json.runs).toHaveLength(1);
  });

  test('of an unsupervised one that fell, tells that nobody was there to see', async ({ home }) => {
    const { pid, instanceId } = await home.startSleeper('clock');
    await killNow(pid);
    expect((await home.cli(['why', 'clock'])).stdout).toMatch(
      /^clock is stale \(process-(?:gone|is-a-zombie)\)[^\n]*\npid \d+ is gone, and nobody has noted yet how it ended\n$/,
    );
    await home.cli(['start', 'clock']);
    expect((await home.cli(['why', 'clock', '--json'])).json.runs).toMatchObject([
      { instanceId, pid, cause: 'unknown', exitCode: null, signal: null, decision: 'nobody was there to see its end' },
    ]);
    expect((await home.cli(['why', 'clock'])).stdout).toMatch(/ended, nobody knows how after /);
  });

  test('of a name never known fails, and writes nothing', async ({ home }) => {
    const end = await home.cli(['why', 'clock', '--json']);
    expect([end.exitCode, end.json.error.code]).toEqual([1, 'not-found']);
    expect(existsSync(home.path)).toBe(false);
  });
});

describe.concurrent('the flight recorder', () => {
  test('is a private file', async ({ home }) => {
    await home.startSleeper('clock');
    await home.stop('clock');
    expect(statSync(home.at('clock', 'runs.ndjson')).mode & 0o777).toBe(0o600);
  });

  test('stays below its bound, and keeps the newest runs', async ({ home }) => {
    await home.startSleeper('clock');
    await home.stop('clock');
    const path = home.at('clock', 'runs.ndjson');
    const [run] = runsOf(home, 'clock');
    const older = Array.from({ length: 4_000 }, (_, index) => JSON.stringify({ ...run, decision: `run ${index} ${'x'.repeat(150)}` }));
    writeFileSync(path, `${older.join('\n')}\n`);
    await home.cli(['start', 'clock']);
    const { pid } = home.descriptor('clock');
    await home.stop('clock');
    expect(statSync(path).size).toBeLessThan(1_024 * 1_024);
    const kept = runsOf(home, 'clock');
    expect(kept.at(-1)).toMatchObject({ pid });
    expect(kept.at(-2).decision).toMatch(/^run 3999 /);
    expect(kept.length).toBeLessThan(4_000);
  });

  test('with a line that was cut short is read without it, and goes on in a line of its own', async ({ home }) => {
    await home.startSleeper('clock');
    await home.stop('clock');
    const path = home.at('clock', 'runs.ndjson');
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, whole.slice(0, 40));
    expect((await home.cli(['why', 'clock', '--json'])).json.runs).toHaveLength(1);
    await home.cli(['start', 'clock']);
    await home.stop('clock');
    expect((await home.cli(['why', 'clock', '--json'])).json.runs).toHaveLength(2);
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(4);
  });

  test('that can not be written keeps no daemon from being stopped or restarted', async ({ home }) => {
    const first = await startKept(home, 'clock', endsAtLatch(home.latch('latch'), 1), ...atOnce);
    home.writeRaw('clock', readFileSync(home.at('clock', 'daemon.json')));
    await home.spawn('mkdir', [home.at('clock', 'runs.ndjson')]).end();
    await killNow(first.pid);
    await nextRun(home, 'clock', first);
    expect((await home.cli(['why', 'clock', '--json'])).json.runs).toEqual([]);
    expect((await home.cli(['stop', 'clock', '--json'])).json).toMatchObject({ outcome: 'stopped' });
  });
});

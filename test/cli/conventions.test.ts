import { existsSync, readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { commandLine } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const esc = String.fromCharCode(27);

/** Runs the command line on a terminal of its own. */
function onTerminal(home: TemporaryHome, args: readonly string[], env: Record<string, string> = {}) {
  const quoted = [process.execPath, commandLine, ...args].map((word) => `'${word}'`).join(' ');
  return home.spawn('script', ['--quiet', '--return', '--command', quoted, '/dev/null'], { env: { TERM: 'xterm', ...env } });
}

describe.concurrent('an output that takes nothing', () => {
  /** Runs the command line with its output into /dev/full, where every write fails. */
  const intoFull = (home: TemporaryHome, args: readonly string[]) =>
    home.spawn('sh', ['-c', 'exec "$@" >/dev/full', 'sh', process.execPath, commandLine, ...args]).end();
  const told = /^daemonry: can't write to the standard output: ENOSPC; free some space, or write to another file\n$/;

  test('is exit 1 and one line, whatever was to be told, and nothing that was done is undone', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    const each = [['--version'], ['--help'], ['status', 'clock'], ['status', 'clock', '--json'], ['list'], ['logs', 'clock', '--json']];
    for (const args of each) {
      const end = await intoFull(home, args);
      expect([args, end.exitCode, end.stderr]).toEqual([args, 1, expect.stringMatching(told)]);
    }
    expect(await intoFull(home, ['events', 'clock', 'nobody'])).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('nobody') });
    // What went wrong before is told all the same, and by its own exit code.
    const wrong = await intoFull(home, ['start', 'clock', '--json', '--grace', 'soon', '--', 'sleep', '1']);
    expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^daemonry: [^\n]*--grace[^\n]*\n$/) });
    expect(await intoFull(home, ['stop', 'clock'])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(told) });
    expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'stopped' });
    expect(home.processes().map((seen) => seen.pid)).not.toContain(pid);
  });

  test('ends what runs in the foreground, and what that runs', async ({ home }) => {
    const end = await intoFull(home, ['run', 'clock', '--', 'sh', '-c', 'echo up; exec sleep 1000']);
    expect([end.exitCode, end.stderr]).toEqual([1, expect.stringMatching(told)]);
    expect(home.processes()).toEqual([]);
  });

  test('and is gone is no error', async ({ home }) => {
    await home.startSleeper('clock');
    const end = await home
      .spawn('sh', ['-c', '{ "$@"; echo "exit $?" >&2; } | :', 'sh', process.execPath, commandLine, 'status', 'clock'])
      .end();
    expect(end.stderr).toMatch(/^exit 0\n$/);
  });
});

describe.concurrent('options', () => {
  test('--json and --home go in any place before --', async ({ home }) => {
    const elsewhere = home.file('elsewhere');
    const { pid } = await home.startSleeper('clock', '--home', elsewhere);
    expect(existsSync(home.path)).toBe(false);
    const inAnyPlace = [
      ['status', 'clock', '--home', elsewhere, '--json'],
      ['status', '--json', '--home', elsewhere, 'clock'],
      ['status', '--home=elsewhere', 'clock', '--json'],
      ['--json', 'status', 'clock', '--home', 'elsewhere'],
      ['--home', elsewhere, '--json', 'status', 'clock'],
      ['--json', '--home=elsewhere', 'status', 'clock'],
    ];
    for (const args of inAnyPlace) {
      const end = await home.cli(args);
      expect([args, end.exitCode, end.json.pid]).toEqual([args, 0, pid]);
    }
    await home.cli(['stop', 'clock', '--home', elsewhere]);
  });

  test("after -- belong to the command, and are none of daemonry's", async ({ home }) => {
    const end = await home.cli([
      'start',
      'clock',
      '--',
      'sh',
      '-c',
      'echo "$@"; exec sleep 1000',
      'sh',
      '--json',
      '--home',
      '/x',
      '--',
      '--help',
    ]);
    expect(end).toMatchObject({ exitCode: 0, stdout: `clock started (pid ${home.descriptor('clock').pid})\n` });
    await home.logSays('clock', '--json --home /x -- --help\n');
  });

  test('--home goes over DAEMONRY_HOME, that over XDG_STATE_HOME, that over the place in the home folder', async ({ home }) => {
    const where = async (env: Record<string, string | undefined>, ...args: string[]) =>
      (await home.cli(['status', 'x', '--json', ...args], { env })).json.descriptor;
    const all = { DAEMONRY_HOME: '/d', XDG_STATE_HOME: '/s' };
    expect(await where(all, '--home', '/h')).toBe('/h/x/daemon.json');
    expect(await where(all)).toBe('/d/x/daemon.json');
    expect(await where({ DAEMONRY_HOME: undefined, XDG_STATE_HOME: '/s' })).toBe('/s/daemonry/x/daemon.json');
    expect(await where({ DAEMONRY_HOME: undefined, XDG_STATE_HOME: 'relative' })).toBe(
      `${home.folder}/.local/state/daemonry/x/daemon.json`,
    );
    expect(await where({ DAEMONRY_HOME: 'relative' })).toBe(`${home.folder}/relative/x/daemon.json`);
  });

  test('--option=value reads as --option value', async ({ home }) => {
    await home.start('clock', ['sleep', '1000'], '--grace=2s', '--stop-signal=INT', '--env=A=1=2');
    expect(home.descriptor('clock').stop).toEqual({ signal: 'SIGINT', graceMs: 2_000 });
    expect(JSON.parse(readFileSync(home.at('clock', 'spec.json'), 'utf8')).env).toEqual({ A: '1=2' });
  });
});

describe.concurrent('help and version', () => {
  test('are answers: on stdout, exit 0, and nothing is started', async ({ home }) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await home.cli(['--version'])).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
    const help = await home.cli(['--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    for (const verb of ['start', 'stop', 'restart', 'status', 'list', 'logs', 'run', 'wait', 'doctor', 'completion']) {
      expect(help.stdout).toMatch(new RegExp(`^ +(daemonry )?${verb}\\b`, 'm'));
    }
    const ofVerb = await home.cli(['start', '--help']);
    expect(ofVerb).toMatchObject({ exitCode: 0, stderr: '' });
    for (const option of ['--ready-timeout', '--env-file', '--log-keep', '--force', '--home', '--json'])
      expect(ofVerb.stdout).toContain(option);
    expect((await home.cli(['start', 'clock', '-h', '--', 'sleep', '1000'])).exitCode).toBe(0);
    expect(existsSync(home.path)).toBe(false);
  });
});

describe.concurrent('the streams', () => {
  test('are plain where they are no terminal', async ({ home }) => {
    await home.startSleeper('clock');
    const again = await home.cli(['start', 'clock', '--', 'sleep', '1000'], { env: { TERM: 'xterm' } });
    const wrong = await home.cli(['start', '../x'], { env: { TERM: 'xterm' } });
    expect(again.stderr).not.toContain(esc);
    expect(wrong.stderr).not.toContain(esc);
  });

  test('are coloured on a terminal, unless NO_COLOR or a dumb terminal asks for none', async ({ home }) => {
    const wrong = ['start', '../x'];
    expect((await onTerminal(home, wrong).end()).stdout).toContain(`${esc}[31mdaemonry:${esc}[39m invalid name`);
    expect((await onTerminal(home, wrong, { NO_COLOR: '1' }).end()).stdout).toContain('daemonry: invalid name');
    expect((await onTerminal(home, wrong, { TERM: 'dumb' }).end()).stdout).toContain('daemonry: invalid name');
  });

  test('show a spinner on a terminal while a start takes its time, and the result after it', async ({ home }) => {
    const latch = home.latch('latch');
    const script = `read -r _ <${latch.path}; echo >&4; exec sleep 1000`;
    const program = onTerminal(home, ['start', 'clock', '--ready', 'notify', '--', 'sh', '-c', script]);
    await program.says('starting clock');
    latch.open();
    expect(await program.end()).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/clock started \(pid \d+\)\r\n$/) });
  });

  test('may be closed by their reader without a word', async ({ home }) => {
    const script = '{ "$0" "$1" --help; echo "exit $?" >&2; } | true';
    const end = await home.spawn('sh', ['-c', script, process.execPath, commandLine]).end();
    expect(end.stderr).toBe('exit 0\n');
  });

  test('never keep a daemon for whoever waits for their end (F37)', async ({ home }) => {
    const program = home.spawnCli(['start', 'clock', '--', 'sleep', '1000']);
    // Ends only with the last copy of the pipes.
    await program.end();
    await waitFor('the daemon', () => home.processes().length === 1);
  });
});

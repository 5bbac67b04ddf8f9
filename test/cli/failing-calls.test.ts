import { readlinkSync, writeFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { Fault } from '../faults/fault.js';
import { LoaderInjector } from '../faults/loader-injector.js';
import { flocks } from '../faults/scenarios.js';
import { processFacts } from '../support/processes.js';
import { commandLine, fixture, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

/** Runs the command line with one of its calls failing, and makes sure that it came to that. */
async function failing(home: TemporaryHome, text: string, fault: Fault, args: readonly string[], nth = 1, absent: readonly string[] = []) {
  const injector = new LoaderInjector();
  const program = { command: [process.execPath, '--', commandLine, ...args] as const, env: {}, absent };
  const call = { text, nth, kind: 'look', isHit: false } as const;
  const { command, env } = injector.around(home, program, { call, fault });
  const end = await home.spawn(command[0], command.slice(1), { env }).end();
  expect(
    injector.calls(home).some(({ isHit }) => isHit),
    `${text} is among the calls`,
  ).toBe(true);
  return end;
}

const start = ['start', 'clock', '--', 'sleep', '1000'];
const stop = ['stop', 'clock'];

describe.concurrent('a call that fails', () => {
  const named: Readonly<Record<string, { call: string; nth?: number; fault: Fault; args: string[]; why: RegExp }>> = {
    'the look at the lock': { call: 'statSync(~/home/clock/lock)', fault: 'EIO', args: stop, why: /can't read \S+\/clock\/lock: EIO; / },
    'the look at the open lock': {
      call: 'fstatSync(~/home/clock/lock)',
      nth: 2,
      fault: 'EIO',
      args: stop,
      why: /can't read \S+\/lock: EIO; /,
    },
    'reading who holds the lock': { call: 'readSync(~/home/clock/lock)', fault: 'EIO', args: stop, why: /can't read \S+\/lock: EIO; / },
    'reading the descriptor': {
      call: 'readSync(~/home/clock/daemon.json)',
      fault: 'EIO',
      args: stop,
      why: /can't read \S+\/daemon.json: EIO; /,
    },
    'listing the processes': { call: 'readdirSync(/proc)', fault: 'EMFILE', args: stop, why: /can't read \/proc: EMFILE; / },
    'the look at a socket': {
      call: 'lstatSync(~/home/clock/clock-*.sock)',
      // The first is before anybody is asked there, and only saves that.
      nth: 2,
      fault: 'EIO',
      args: stop,
      why: /can't read \S+\.sock: EIO; /,
    },
    'the look at the log': {
      call: 'lstatSync(~/home/clock/daemon.log)',
      // The first is the flight recorder's, which nothing fails over.
      nth: 3,
      fault: 'EIO',
      args: ['restart', 'clock'],
      why: /can't read \S+\.log: EIO; /,
    },
  };
  for (const [what, { call, nth, fault, args, why }] of Object.entries(named)) {
    test(`is named with path and errno: ${what}`, async ({ home }) => {
      await home.startSleeper('clock');
      const end = await failing(home, call, fault, args, nth);
      expect(end).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/^daemonry: [^\n]+\n$/) });
      expect(end.stderr).toMatch(why);
    });
  }

  const letGo = { 'ftruncateSync(~/home/clock/lock)': ['ENOSPC', 'EIO'], 'closeSync(~/home/clock/lock)': ['EIO'] } as const;
  for (const [call, faults] of Object.entries(letGo)) {
    for (const fault of faults) {
      test(`in letting go of the lock makes no failure of what was done: ${call}, ${fault}`, async ({ home }) => {
        const nth = call.startsWith('ftruncate') ? 2 : 1;
        expect(await failing(home, call, fault, start, nth)).toMatchObject({ exitCode: 0, stderr: '' });
        expect(home.processes()).toHaveLength(1);
        expect(await failing(home, call, fault, stop, nth)).toMatchObject({ exitCode: 0, stderr: '' });
        expect(home.processes()).toEqual([]);
      });
    }
  }

  test('in closing what the daemon was given makes no failure of its start', async ({ home }) => {
    expect(await failing(home, 'closeSync(~/home/clock/daemon.log)', 'EIO', start, 2)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(home.processes()).toHaveLength(1);
  });

  test('in finding out which shell this is leaves a shell like any other', async ({ home }) => {
    expect(await failing(home, 'realpathSync(/bin/sh)', 'EIO', start)).toMatchObject({ exitCode: 0, stderr: '' });
  });

  for (const fault of ['EAGAIN', 'EACCES', 'EMFILE'] as const) {
    test(`in starting the gate is said in one line, and leaves no record: ${fault}`, async ({ home }) => {
      const gate = 'spawn(/bin/sh -c read -r daemonry_word <&3 && [ "$daemonry_word" =)';
      const end = await failing(home, gate, fault, start);
      expect(end.stderr).toMatch(new RegExp(`^daemonry: [^\n]*start /usr/bin/sleep: ${fault}; [^\n]+\n$`));
      expect(home.filesOf('clock')).toEqual(['daemon.log', 'lock']);
    });
  }

  for (const call of [
    'readlinkSync(/proc/self/ns/time)',
    'readFileSync(/etc/machine-id)',
    'readFileSync(/proc/sys/kernel/random/boot_id)',
  ]) {
    test(`in finding out where we are starts nothing that could not be judged later: ${call}`, async ({ home, skip }) => {
      if (call.includes('machine-id') && readlinkSync('/proc/self/ns/pid') !== 'pid:[4026531836]') skip('needs the first pid namespace');
      const end = await failing(home, call, 'EIO', start);
      expect(end).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/^daemonry: [^\n]*: can't read \/\S+: EIO\n$/) });
      expect(home.processes()).toEqual([]);
      expect(home.descriptor('clock')).toBeUndefined();
    });
  }

  test('in looking at a process that left its group does not let it be overlooked', async ({ home }) => {
    const script = 'trap "" TERM; setsid sleep 1000 & echo "child $!"; wait';
    await home.start('clock', ['sh', '-c', script], '--ready', 'log:^child', '--grace', '40ms');
    const child = Number(/child (\d+)/.exec(home.log('clock'))?.[1]);
    await waitFor('the child to leave the group', () => processFacts(child)?.processGroup === child);
    const end = await failing(home, 'readFileSync(/proc/kin/environ)', 'EMFILE', stop);
    expect(end).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringMatching(/^daemonry: can't read \/proc\/\d+\/environ: EMFILE; [^\n]+\n$/),
    });
    expect((await home.cli([...stop, '--json'])).json).toMatchObject({ status: 'stopped' });
    expect(home.processes()).toEqual([]);
  });
});

describe.concurrent('after a starter that died', () => {
  test('while it dug the grave of a claim, the failure of the next one is named', async ({ home }) => {
    const { phase, socket, ...dead } = home.forge('clock');
    writeFileSync(home.at('clock', 'lock.claim'), JSON.stringify({ ...dead, by: 'claim', nonce: 'of-the-dead' }), { mode: 0o600 });
    const end = await failing(home, 'unlinkSync(~/home/clock/lock.claim)', 'EIO', stop, 1, flocks);
    expect(end).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^daemonry: can't write \S+\/lock.claim: EIO; [^\n]+\n$/) });
  });

  test('before its daemon was on record, no file of that daemon is left', async ({ home }) => {
    const renaming = 'renameSync(~/home/clock/.daemon.json.*.tmp, ~/home/clock/daemon.json)';
    const notifies = ['start', 'clock', '--ready', 'notify', '--', 'sleep', '1000'];
    expect((await failing(home, renaming, 'SIGKILL', notifies)).exitCode).toBe(137);
    expect(home.filesOf('clock').filter((file) => file.startsWith('notify-'))).toHaveLength(1);
    expect((await home.cli(stop)).exitCode).toBe(0);
    expect(home.filesOf('clock')).toEqual(['daemon.log', 'lock']);
  });
});

describe.concurrent('after a daemon that was killed', () => {
  test('while it opened its socket, the hidden file of that socket is cleared away', async ({ home }) => {
    const injector = new LoaderInjector();
    const call = { text: 'linkSync(~/home/clock/.*, ~/home/clock/clock-*.sock)', nth: 1, kind: 'change', isHit: false } as const;
    const served = { command: [process.execPath, fixture('serves.mjs'), serveFile] as const, env: {} };
    const { command, env } = injector.around(home, served, { call, fault: 'SIGKILL' });
    expect((await home.cli(['start', 'clock', '--ready', 'socket', '--', ...command], { env })).exitCode).toBe(1);
    expect((await home.cli(stop)).exitCode).toBe(0);
    expect(home.filesOf('clock')).toEqual(['daemon.log', 'lock', 'runs.ndjson', 'spec.json']);
  });
});

import { existsSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { isAlive } from '../support/processes.js';
import { commandLine } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { canMount } from '../support/tiny-disk.js';

/** Runs the command line where these programs are none: in a mount namespace in which something else stands in their place. */
function cliWithout(home: TemporaryHome, programs: readonly string[], args: readonly string[]) {
  const paths = programs
    .flatMap((program) => ['/bin', '/usr/bin'].map((folder) => `${folder}/${program}`))
    .filter((path) => existsSync(path));
  const script = 'for path in $HIDDEN; do mount --bind /dev/null "$path"; done; exec "$0" "$@"';
  const env = { HIDDEN: paths.join(' ') };
  return home.spawn('unshare', ['--mount', 'bash', '-c', script, process.execPath, commandLine, ...args], { env }).end();
}

const findingsOf = (json: { findings: { code: string; fixed: boolean }[] }) => json.findings.map(({ code }) => code);

describe.skipIf(!canMount)('a system without flock (needs the right to mount)', { concurrent: true }, () => {
  const hidden = ['flock', 'busybox'];
  const start = ['start', 'clock', '--json', '--', 'sleep', '1000'];

  test('is named by doctor, which can not mend it', async ({ home }) => {
    const end = await cliWithout(home, hidden, ['doctor', '--fix', '--json']);
    expect([end.exitCode, findingsOf(end.json)]).toEqual([1, ['no-kernel-lock']]);
  });

  test('lets many starters make one daemon', async ({ home }) => {
    const ends = await Promise.all(Array.from({ length: 6 }, () => cliWithout(home, hidden, start)));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual(Array(6).fill(0));
    expect(new Set(ends.map((end) => end.json.pid))).toEqual(new Set([home.descriptor('clock').pid]));
    expect(home.processes()).toHaveLength(1);
  });

  test('shares a home with one that has it: all starters make one daemon', async ({ home }) => {
    const either = (index: number) => (index % 2 === 0 ? home.cli(start) : cliWithout(home, hidden, start));
    const ends = await Promise.all(Array.from({ length: 8 }, (_, index) => either(index)));
    expect(ends.map(({ exitCode }) => exitCode)).toEqual(Array(8).fill(0));
    expect(new Set(ends.map((end) => end.json.pid))).toEqual(new Set([home.descriptor('clock').pid]));
    expect(ends.filter((end) => end.json.outcome === 'started')).toHaveLength(1);
    expect(home.processes()).toHaveLength(1);
  });
});

describe.skipIf(!canMount)('a system without a shell (needs the right to mount)', { concurrent: true }, () => {
  const hidden = ['sh', 'dash'];

  test('is named by doctor', async ({ home }) => {
    const end = await cliWithout(home, hidden, ['doctor', '--json']);
    expect([end.exitCode, findingsOf(end.json)]).toEqual([1, ['no-launch-gate']]);
  });

  test('starts, restarts and stops a daemon all the same', async ({ home }) => {
    const started = await cliWithout(home, hidden, ['start', 'clock', '--json', '--', 'sleep', '1000']);
    expect(started.json).toMatchObject({ outcome: 'started', status: 'running' });
    expect(home.descriptor('clock')).toMatchObject({ pid: started.json.pid, phase: 'ready' });
    expect(home.descriptor('clock').intent).toBeUndefined();
    const restarted = await cliWithout(home, hidden, ['restart', 'clock', '--json']);
    expect([isAlive(started.json.pid), isAlive(restarted.json.pid)]).toEqual([false, true]);
    expect((await cliWithout(home, hidden, ['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect(home.processes()).toEqual([]);
  });

  test('leaves no record of a command that could not be executed', async ({ home }) => {
    const script = home.file('no-program', 'not executable as a binary', 0o755);
    const end = await cliWithout(home, hidden, ['start', 'clock', '--', script]);
    expect(end.exitCode).not.toBe(0);
    expect(end.stderr).toMatch(/^daemonry: [^\n]+\n$/);
    expect(home.descriptor('clock')).toBeUndefined();
    expect(home.processes()).toEqual([]);
  });
});

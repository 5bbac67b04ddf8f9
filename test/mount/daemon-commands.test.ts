import { createRequire } from 'node:module';
import type { BaseContext } from 'clipanion';
import { describe, expect } from 'vitest';
import { loadClipanionEntry, loadLibrary } from '../support/library.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { Captured } from './support/captured.js';

// As Node resolves it, for hosts and for us alike; the test runner would take another file of it.
const { Builtins, Cli } = createRequire(import.meta.url)('clipanion') as typeof import('clipanion');
const { defineDaemon } = loadLibrary();
const { daemonCommands, runDaemonVerb } = loadClipanionEntry();

interface HostContext extends BaseContext {
  readonly user: string;
}

function sleeper(home: TemporaryHome, command = 'sleep') {
  return defineDaemon({ name: 'acmed', command, args: ['1000'], cwd: home.folder, home: home.path });
}

/** A host's own command line, with a context of its own. */
function host(home: TemporaryHome, options: Parameters<typeof daemonCommands>[1] = {}, command?: string) {
  const cli = new Cli<HostContext>({ binaryName: 'acme', enableColors: false });
  cli.register(Builtins.HelpCommand);
  for (const one of daemonCommands<HostContext>(sleeper(home, command), options)) cli.register(one);
  return async (...argv: readonly string[]) => {
    const captured = new Captured();
    const { stdout, stderr } = captured;
    const exitCode = await cli.run([...argv], { ...Cli.defaultContext, stdout, stderr, user: 'ann' });
    return { exitCode, stdout: stdout.text, stderr: stderr.text, captured };
  };
}

describe.concurrent("a host's clipanion command line", () => {
  test('gets verbs that start, tell and stop the daemon', async ({ home }) => {
    const acme = host(home);
    const started = await acme('daemon', 'start');
    const { pid } = home.descriptor('acmed');
    expect(started).toMatchObject({ exitCode: 0, stdout: `acmed started (pid ${pid})\n`, stderr: '' });
    const { captured, exitCode } = await acme('daemon', 'status', '--json');
    expect(exitCode).toBe(0);
    expect(captured.json).toMatchObject({ schema: 1, name: 'acmed', status: 'running', phase: 'ready', pid });
    expect(await acme('daemon', 'logs', '-n', '3')).toMatchObject({ exitCode: 0, stdout: '' });
    expect(await acme('daemon', 'restart', '--grace=3s')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await acme('daemon', 'stop', '--grace', '3s')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await acme('daemon', 'status')).toMatchObject({ exitCode: 3, stdout: 'acmed is stopped\n' });
  });

  test('speaks in its own name where something fails, on stderr, with the exit code of the verb', async ({ home }) => {
    const acme = host(home, {}, 'no-such-command');
    expect(await acme('daemon', 'start')).toMatchObject({
      exitCode: 5,
      stdout: '',
      stderr: 'acme: command not found: no-such-command; check its spelling and PATH\n',
    });
    expect(await acme('daemon', 'logs')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: 'acme: acmed has never been started; acme daemon start starts it\n',
    });
    expect(await acme('daemon', 'stop', '--bogus')).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: 'acme: unknown option "--bogus" for stop; allowed are --json, --grace\n',
    });
    expect((await acme('daemon', 'stop', '--bogus', '--json')).captured.json).toMatchObject({ schema: 1, error: { code: 'usage' } });
  });

  test('takes options before the verb too', async ({ home }) => {
    const { captured, exitCode } = await host(home)('--json', 'daemon', 'status');
    expect([exitCode, captured.json.status]).toEqual([3, 'stopped']);
  });

  test('lists the verbs in its help, with their options', async ({ home }) => {
    const acme = host(home);
    const overview = await acme('--help');
    expect(overview.stdout).toContain('Daemon');
    for (const verb of ['start', 'stop', 'restart', 'status', 'logs']) expect(overview.stdout).toContain(`acme daemon ${verb}`);
    const { exitCode, stdout, stderr } = await acme('daemon', 'logs', '--help');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('-f,--follow');
    expect(stdout).toContain('go on with what it writes');
  });

  test('says where they stand, what they are called and who speaks', async ({ home }) => {
    const acme = host(home, { path: ['service'], program: 'acme-cli', category: 'The service' });
    expect(await acme('service', 'logs')).toMatchObject({
      exitCode: 1,
      stderr: 'acme-cli: acmed has never been started; acme-cli service start starts it\n',
    });
    expect((await acme('--help')).stdout).toContain('The service');
    expect(await host(home, { path: [] })('status')).toMatchObject({ exitCode: 3 });
  });

  test('without a name of its own speaks in that of the daemon', async ({ home }) => {
    const { stdout, stderr } = new Captured();
    const cli = Cli.from(daemonCommands(sleeper(home)));
    expect(await cli.run(['daemon', 'logs'], { ...Cli.defaultContext, stdout, stderr })).toBe(1);
    expect(stderr.text).toBe('acmed: acmed has never been started; acmed daemon start starts it\n');
  });

  test('finds runDaemonVerb beside them', async ({ home }) => {
    const { stdout, stderr } = new Captured();
    expect(await runDaemonVerb(sleeper(home), ['status'], { stdout, stderr })).toBe(3);
  });
});

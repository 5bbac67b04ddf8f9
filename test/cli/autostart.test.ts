import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { RunningProgram } from '../support/command-line.js';
import { commandOf, isAlive, untilDead } from '../support/processes.js';
import { type AnyJson, type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const isUnderSystemd = existsSync('/run/systemd/system');

const unitsOf = (home: TemporaryHome) => join(home.folder, '.config', 'systemd', 'user');
const unitOf = (home: TemporaryHome, service: string) => join(unitsOf(home), `${service}.service`);

/** Installs the service of a daemon that is known, and starts nothing. */
async function install(home: TemporaryHome, ...names: readonly string[]): Promise<string> {
  const end = await home.cli(['autostart', 'enable', ...names, '--no-verify', '--json']);
  expect(end).toMatchObject({ exitCode: 0, stderr: '' });
  return end.json.results[0].service;
}

/** What a service manager does with a service that is installed. */
function serve(home: TemporaryHome, service: string, env: Record<string, string> = {}): RunningProgram {
  return home.spawn('/bin/sh', [home.at('_autostart', 'launcher'), service], { env });
}

async function statusOf(home: TemporaryHome, ...names: readonly string[]): Promise<AnyJson> {
  return (await home.cli(['autostart', 'status', ...names, '--json'])).json.daemons;
}

const codesOf = ({ reasons }: { reasons: { code: string }[] }) =>
  reasons.map(({ code }) => code).filter((code) => code !== 'not-lingering');

describe.concurrent('autostart', () => {
  test('enable: writes the same unit again and again, for its user alone, with no variable in it', async ({ home }) => {
    await home.startSleeper('clock', '--env', 'GREETING=hello');
    const service = await install(home, 'clock');
    const unit = readFileSync(unitOf(home, service), 'utf8');
    const again = await home.cli(['autostart', 'enable', 'CLOCK', '--no-verify', '--json']);
    expect(again.json.results).toMatchObject([{ name: 'clock', outcome: 'already-enabled', service, verified: false, status: 'running' }]);
    expect(readFileSync(unitOf(home, service), 'utf8')).toBe(unit);
    expect(statSync(unitOf(home, service)).mode & 0o777).toBe(0o600);
    expect(unit + readFileSync(home.at('_autostart', 'launcher'), 'utf8')).not.toMatch(/GREETING|hello/);
    expect(readdirSync(join(unitsOf(home), 'default.target.wants'))).toEqual([`${service}.service`]);
  });

  test('disable: leaves no trace, a running daemon to itself, and says when there is nothing to do', async ({ home }) => {
    await home.startSleeper('clock');
    await home.startSleeper('web');
    await install(home, 'clock', 'web');
    const end = await home.cli(['autostart', 'disable', 'clock', 'web', 'nobody', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json.results).toMatchObject([
      { name: 'clock', outcome: 'disabled', stopped: false },
      { name: 'web', outcome: 'disabled', stopped: false },
      { name: 'nobody', outcome: 'not-enabled', service: null },
    ]);
    expect(readdirSync(unitsOf(home), { recursive: true })).toEqual(['default.target.wants']);
    expect(existsSync(home.at('_autostart'))).toBe(false);
    expect(await home.cli(['status', 'clock'])).toMatchObject({ exitCode: 0 });
  });

  test('enable: of a name that is not known, and of a command line that can not be meant, in one line', async ({ home }) => {
    const unknown = await home.cli(['autostart', 'enable', 'nobody', '--json']);
    expect(unknown).toMatchObject({ exitCode: 1, stderr: '' });
    expect(unknown.json.results).toMatchObject([
      { name: 'nobody', outcome: 'failed', error: { code: 'not-found', hint: expect.any(String) } },
    ]);
    const wrong = [
      ['autostart', 'enable'],
      ['autostart', 'install', 'clock'],
      ['autostart', 'enable', 'clock', '--file', 'daemonry.yaml'],
      ['autostart', 'disable', 'clock', '--linger'],
      ['autostart', 'status', '../x'],
    ];
    for (const args of wrong) {
      const end = await home.cli(args);
      expect([args, end.exitCode, end.stdout, end.stderr.split('\n').length]).toEqual([args, 2, '', 2]);
    }
    expect(existsSync(home.path)).toBe(false);
  });

  test.skipIf(isUnderSystemd)(
    'enable: says that no systemd runs, and leaves nothing behind (needs a system without it)',
    async ({ home }) => {
      await home.startSleeper('clock');
      const end = await home.cli(['autostart', 'enable', 'clock', '--json']);
      expect(end.exitCode).toBe(1);
      expect(end.json.results).toMatchObject([{ outcome: 'failed', error: { code: 'no-service-manager' } }]);
      expect(existsSync(unitsOf(home))).toBe(false);
      expect(home.descriptor('clock').phase).toBe('ready');
    },
  );

  test('status: tells of every daemon what the next boot will do, and why', async ({ home }) => {
    await home.startSleeper('clock');
    await home.startSleeper('web');
    const service = await install(home, 'clock');
    const [clock, web] = await statusOf(home);
    expect(clock).toMatchObject({ name: 'clock', enabled: true, service, manager: 'systemd', managed: false, status: 'running' });
    expect(clock.definition).toBe(unitOf(home, service));
    expect(codesOf(clock)).toEqual([]);
    expect(web).toMatchObject({ name: 'web', enabled: false, boot: 'does-not-start', reasons: [{ code: 'not-enabled' }] });
  });

  test('status and doctor: what has drifted is told, and mended', async ({ home }) => {
    await home.startSleeper('clock');
    const service = await install(home, 'clock');
    const unit = unitOf(home, service);
    const text = readFileSync(unit, 'utf8');
    const drifts: readonly [string, () => void, boolean][] = [
      ['not-installed', () => rmSync(unit), true],
      ['outdated-definition', () => writeFileSync(unit, text.replace('Restart=on-failure', 'Restart=no')), false],
      ['missing-launcher', () => rmSync(home.at('_autostart', 'launcher')), true],
      ['disabled', () => rmSync(join(unitsOf(home), 'default.target.wants', `${service}.service`)), true],
    ];
    for (const [code, drift, blocks] of drifts) {
      drift();
      const [clock] = await statusOf(home, 'clock');
      expect([code, codesOf(clock), clock.boot === 'does-not-start']).toEqual([code, [code], blocks]);
      const { findings } = (await home.cli(['doctor', '--fix', '--json'])).json;
      expect(findings).toContainEqual(expect.objectContaining({ code: 'autostart-drift', name: 'clock', fixed: true }));
      expect(readFileSync(unit, 'utf8')).toBe(text);
      expect(codesOf((await statusOf(home, 'clock'))[0])).toEqual([]);
    }
  });

  test('status and doctor: a home that has moved takes its services along', async ({ home }) => {
    await home.startSleeper('clock');
    const before = await install(home, 'clock');
    await home.stop('clock');
    const moved = home.file('moved');
    renameSync(home.path, moved);
    const [clock] = (await home.cli(['autostart', 'status', 'clock', '--home', moved, '--json'])).json.daemons;
    expect(clock).toMatchObject({ boot: 'does-not-start', service: before });
    expect(codesOf(clock)).toEqual(['moved-home']);
    await home.cli(['doctor', '--fix', '--home', moved]);
    const [after] = (await home.cli(['autostart', 'status', 'clock', '--home', moved, '--json'])).json.daemons;
    expect(codesOf(after)).toEqual([]);
    expect(after.service).not.toBe(before);
    expect(readdirSync(unitsOf(home)).sort()).toEqual([`${after.service}.service`, 'default.target.wants']);
  });

  test('status: a daemon that could not be started at all is told before the boot', async ({ home }) => {
    const script = home.file('daemon.sh', '#!/bin/sh\nexec sleep 1000\n', 0o755);
    await home.start('clock', [script]);
    await install(home, 'clock');
    rmSync(script);
    const [clock] = await statusOf(home, 'clock');
    expect(codesOf(clock)).toEqual(['unstartable']);
    expect(clock.boot).toBe('does-not-start');
  });

  test('enable --file: one service for all daemons of a project, and none for one of them beside it', async ({ home }) => {
    const file = home.file(
      'shop/daemonry.yaml',
      'daemons:\n  db: { command: sleep 1000 }\n  web: { command: sleep 1000, depends_on: [db] }\n',
    );
    const end = await home.cli(['autostart', 'enable', '--file', file, '--no-verify', '--json']);
    expect(end.exitCode).toBe(0);
    expect(end.json.results.map(({ name, outcome }: AnyJson) => `${name} ${outcome}`)).toEqual(['shop.db enabled', 'shop.web enabled']);
    const [service] = new Set(end.json.results.map((one: AnyJson) => one.service));
    const program = serve(home, service as string);
    await program.says('keeping shop.db, shop.web');
    const { results } = (await home.cli(['autostart', 'enable', 'shop.db', '--no-verify', '--json'])).json;
    expect(results).toMatchObject([{ outcome: 'failed', error: { hint: `daemonry autostart disable --file ${file} first` } }]);
    expect((await home.cli(['stop', 'shop.db', '--json'])).exitCode).toBe(0);
    expect(program.ended).toBe(false);
    await home.cli(['stop', 'shop.web']);
    expect(await program.end()).toMatchObject({ exitCode: 0 });
    // Also when it is gone.
    rmSync(file);
    expect(await home.cli(['autostart', 'disable', '--file', file])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(existsSync(home.at('_autostart'))).toBe(false);
  });
});

describe.concurrent('a service', () => {
  test('takes over the daemon that runs, and ends it when it is told to end', async ({ home }) => {
    const before = await home.startSleeper('clock');
    const service = await install(home, 'clock');
    const program = serve(home, service);
    await program.says('keeping clock');
    await untilDead(before.pid);
    const { pid, supervisedBy } = home.descriptor('clock');
    expect(supervisedBy).toMatchObject({ pid: program.pid, service: { manager: 'systemd', id: service } });
    expect(home.processes().map((one) => one.pid)).toEqual([pid]);
    program.kill('SIGTERM');
    expect(await program.end()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(isAlive(pid)).toBe(false);
    expect(home.descriptor('clock')).toBeUndefined();
  });

  test('tells systemd when its daemon is ready, and keeps that to itself', async ({ home }) => {
    const told = home.file('told');
    home.file('bin/systemd-notify', `#!/bin/sh\nprintf '%s|' "$NOTIFY_SOCKET" "$@" >${told}\n`, 0o755);
    await home.start('clock', ['sh', '-c', 'echo "socket: $NOTIFY_SOCKET"; exec sleep 1000'], '--ready', 'log:^socket');
    const PATH = `${join(home.folder, 'bin')}:${process.env.PATH}`;
    const program = serve(home, await install(home, 'clock'), { NOTIFY_SOCKET: '/run/notify', PATH });
    await waitFor('what it tells', () => existsSync(told) && readFileSync(told, 'utf8').endsWith('|'));
    expect(readFileSync(told, 'utf8')).toBe('/run/notify|--ready|--status=keeping clock|');
    expect(home.log('clock')).not.toContain('/run/notify');
    program.kill('SIGTERM');
    await program.end();
  });

  test('finds the program of its daemon where it was found when the service was installed', async ({ home }) => {
    home.file('tools/clockd', '#!/bin/sh\nexec sleep 1000\n', 0o755);
    const env = { PATH: `${join(home.folder, 'tools')}:${process.env.PATH}` };
    expect(await home.cli(['start', 'clock', '--', 'clockd'], { env })).toMatchObject({ exitCode: 0 });
    const end = await home.cli(['autostart', 'enable', 'clock', '--no-verify', '--json'], { env });
    await home.stop('clock');
    const program = serve(home, end.json.results[0].service);
    await program.says('keeping clock');
    program.kill('SIGTERM');
    expect(await program.end()).toMatchObject({ exitCode: 0 });
  });

  test('is over when its daemon is stopped by hand, and not to be started again', async ({ home }) => {
    await home.startSleeper('clock');
    const program = serve(home, await install(home, 'clock'));
    await program.says('keeping clock');
    expect((await home.cli(['stop', 'clock', '--json'])).json.outcome).toBe('stopped');
    expect(await program.end()).toMatchObject({ exitCode: 0 });
  });

  test('fails with its daemon, so that it is started again, and the flight recorder has the end', async ({ home }) => {
    await home.startSleeper('clock');
    const program = serve(home, await install(home, 'clock'));
    await program.says('keeping clock');
    process.kill(home.descriptor('clock').pid, 'SIGKILL');
    expect(await program.end()).toMatchObject({ exitCode: 1 });
    const [run] = (await home.cli(['why', 'clock', '--json'])).json.runs;
    expect(run).toMatchObject({ cause: 'crash', signal: 'SIGKILL', decision: 'left to systemd, which starts it again' });
  });

  test('restarts by the policy of its daemon, and is not to be started again after a crash loop (F20)', async ({ home }) => {
    const broken = home.file('broken');
    const script = `test -e ${broken} && exit 3; exec sleep 1000`;
    await home.start('web', ['sh', '-c', script], '--restart', 'on-failure', '--restart-delay', '0s', '--restart-limit', '2');
    const program = serve(home, await install(home, 'web'));
    await program.says('keeping web');
    const { pid } = home.descriptor('web');
    process.kill(pid, 'SIGKILL');
    await waitFor('the next run', () => {
      const seen = home.descriptor('web');
      return seen?.phase === 'ready' && seen.pid !== pid;
    });
    expect(program.ended).toBe(false);
    // That one is not to end by itself: it has looked by then.
    await waitFor('it to have found nothing broken', () => commandOf(home.descriptor('web').pid) === 'sleep');
    home.file('broken', '');
    process.kill(home.descriptor('web').pid, 'SIGKILL');
    expect(await program.end()).toMatchObject({ exitCode: 100 });
    expect((await home.cli(['status', 'web', '--json'])).json).toMatchObject({ status: 'stopped', phase: 'failed' });
  });

  test('says why its daemon does not come up, and status tells it', async ({ home }) => {
    const refuses = home.file('refuses');
    await home.start(
      'web',
      ['sh', '-c', `test -e ${refuses} && { echo no port; exit 7; }; echo up; exec sleep 1000`],
      '--ready',
      'log:^up',
    );
    const service = await install(home, 'web');
    home.file('refuses', '');
    const end = await serve(home, service).end();
    expect(end).toMatchObject({ exitCode: 1, stderr: '', stdout: expect.stringContaining('web ended before it was ready (exit code 7)') });
    const [web] = await statusOf(home, 'web');
    expect(codesOf(web)).toEqual(['last-start-failed']);
  });

  test('leaves its daemon alone that another supervisor would take over', async ({ home }) => {
    await home.startSleeper('web', '--restart', 'always');
    const program = serve(home, await install(home, 'web'));
    await program.says('keeping web');
    const { pid } = home.descriptor('web');
    program.kill('SIGKILL');
    await program.end();
    // A verb that acts brings a supervisor, which looks for daemons that have lost theirs.
    await home.startSleeper('other', '--restart', 'always');
    await home.cli(['reload', 'other']);
    expect(home.descriptor('web')).toMatchObject({ pid, supervisedBy: { pid: program.pid } });
  });
});

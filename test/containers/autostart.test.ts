import type { StartedTestContainer } from 'testcontainers';
import { expect } from 'vitest';
import { exportedUnit } from '../../src/adapters/autostart/systemd-unit.js';
import { specDefaults } from '../../src/domain/daemon-spec.js';
import { fc } from '../domain/property.js';
import { waitFor } from '../support/wait-for.js';
import { type Answer, engineContainer, type Stage, scenarios } from './row-scenarios.js';
import type { Row } from './rows.js';

/** The user of the row, who is never logged in: her own systemd runs because she lingers. */
class Ann {
  constructor(readonly container: StartedTestContainer) {}

  static async of(stage: Stage, row: Row): Promise<Ann> {
    return new Ann(await stage.start(row));
  }

  async exec(...command: readonly string[]): Promise<{ exitCode: number; output: string; stdout: string }> {
    return this.container.exec([...command], { user: 'ann', workingDir: '/home/ann', env: { HOME: '/home/ann' } });
  }

  async sh(script: string): Promise<string> {
    return (await this.exec('sh', '-c', script)).output.trim();
  }

  async daemonry(...args: readonly string[]): Promise<Answer> {
    const { exitCode, stdout } = await this.exec('daemonry', '--json', ...args);
    return { exitCode, json: JSON.parse(stdout) };
  }

  async status(name: string): Promise<Record<string, unknown>> {
    return (await this.daemonry('status', name)).json;
  }

  async isReady(name: string): Promise<boolean> {
    return (await this.status(name)).phase === 'ready';
  }

  /** What systemd says of a service. */
  async unit(service: unknown, property: string): Promise<string> {
    return this.sh(`systemctl --user show --property=${property} --value ${service}`);
  }

  async kill(pid: unknown): Promise<void> {
    await this.exec('sh', '-c', `kill -9 ${pid}`);
  }

  /** The machine ends, and starts again, as far as a container does. */
  async reboot(): Promise<void> {
    await (await engineContainer(this.container)).restart({ t: 60 });
    await waitFor('her systemd', async () => (await this.sh('systemctl --user is-system-running')) === 'running', 60_000);
  }

  /** Who is logged in, as systemd sees it. */
  async sessions(): Promise<string> {
    return (await this.container.exec(['loginctl', 'list-sessions', '--no-legend'])).output.trim();
  }
}

const sleeper = ['--', 'sleep', '1000'];
const enabled = {
  exitCode: 0,
  json: { results: [{ outcome: 'enabled', verified: true, status: 'running', boot: 'starts', reasons: [] }] },
};

const serviceOf = ({ json }: Answer) => (json.results as { service: string }[])[0]?.service;
const pidOf = ({ json }: Answer) => (json.results as { pid: number }[])[0]?.pid;

scenarios('systemd', (it) => {
  it('autostart: a daemon is there after a reboot, as its user, with nobody logged in, until it is disabled', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    const before = await ann.daemonry('start', 'clock', '--env', `GREETING=it's 100% "$HOME"`, ...sleeper);
    const answer = await ann.daemonry('autostart', 'enable', 'clock');
    expect(answer).toMatchObject(enabled);
    expect(answer.json).toMatchObject({ results: [{ name: 'clock', takenOver: true }] });
    expect(pidOf(answer)).not.toBe(before.json.pid);
    expect(await ann.unit(serviceOf(answer), 'ActiveState')).toBe('active');
    expect(await ann.sh('cat ~/.config/systemd/user/*.service')).not.toMatch(/GREETING|Environment/);

    await ann.reboot();
    await waitFor('the daemon', () => ann.isReady('clock'), 60_000);
    const { pid } = await ann.status('clock');
    expect(await ann.sh(`stat --format=%U /proc/${pid}; tr '\\0' '\\n' </proc/${pid}/environ | grep GREETING`)).toBe(
      `ann\nGREETING=it's 100% "$HOME"`,
    );
    expect(await ann.sessions()).toBe('');
    expect((await ann.daemonry('autostart', 'status', 'clock')).json.daemons).toMatchObject([
      { name: 'clock', enabled: true, managed: true, boot: 'starts', pid, reasons: [] },
    ]);
    // It is proven already, so nothing is started anew.
    expect((await ann.daemonry('autostart', 'enable', 'clock')).json.results).toMatchObject([{ outcome: 'already-enabled', pid }]);

    const disabled = await ann.daemonry('autostart', 'disable', 'clock');
    expect(disabled).toMatchObject({ exitCode: 0, json: { results: [{ outcome: 'disabled', stopped: true }] } });
    expect(await ann.status('clock')).toMatchObject({ status: 'stopped' });
    await ann.reboot();
    expect(await ann.status('clock')).toMatchObject({ status: 'stopped' });
    expect(await ann.unit(serviceOf(answer), 'LoadState')).toBe('not-found');
    expect(await ann.sh('find ~/.config/systemd -name "daemonry*"; ls /volume/home')).toBe('clock');
  });

  it('autostart: nobody fights over a daemon: a stop is the end, a crash is not, and a start is the service (F20)', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    await ann.daemonry('start', 'clock', ...sleeper);
    const answer = await ann.daemonry('autostart', 'enable', 'clock');
    const service = serviceOf(answer);
    const restarted = async (pid: unknown) => (await ann.isReady('clock')) && (await ann.status('clock')).pid !== pid;

    await ann.kill(pidOf(answer));
    await waitFor('another run', () => restarted(pidOf(answer)), 30_000);
    expect(await ann.unit(service, 'NRestarts')).toBe('1');
    expect((await ann.daemonry('why', 'clock')).json.runs).toMatchObject([
      { cause: 'crash', signal: 'SIGKILL', decision: expect.stringContaining('systemd') },
      { cause: 'stop' },
    ]);

    expect(await ann.daemonry('stop', 'clock')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
    await waitFor('the end of the service', async () => (await ann.unit(service, 'ActiveState')) === 'inactive');
    // While it waited for a restart it would be activating.
    expect(await ann.unit(service, 'NRestarts')).toBe('1');
    expect(await ann.status('clock')).toMatchObject({ status: 'stopped' });

    const starts = await Promise.all([1, 2, 3].map(() => ann.daemonry('start', 'clock')));
    expect(starts.map(({ json }) => json.outcome).sort()).toEqual(['already-running', 'already-running', 'started']);
    expect(new Set(starts.map(({ json }) => json.pid)).size).toBe(1);
    expect(await ann.unit(service, 'ActiveState')).toBe('active');
    const again = await ann.daemonry('restart', 'clock');
    expect(again).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect((await ann.daemonry('autostart', 'status', 'clock')).json.daemons).toMatchObject([{ managed: true, pid: again.json.pid }]);

    // Whoever keeps it is killed: systemd brings him back, and there is one daemon still.
    await ann.kill(await ann.unit(service, 'MainPID'));
    await waitFor('another service', () => restarted(again.json.pid), 30_000);
    expect(await ann.sh('grep -lx sleep /proc/[0-9]*/comm 2>/dev/null | wc -l')).toBe('1');

    await ann.sh(`systemctl --user stop ${service}`);
    expect(await ann.status('clock')).toMatchObject({ status: 'stopped' });
    expect((await ann.daemonry('why', 'clock')).json.runs).toMatchObject([{ cause: 'stop' }, {}, {}, {}, {}]);
  });

  it('autostart: what a policy restarts, and gives up, is not started again by systemd (F20)', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    const crashing = 'test -e /tmp/broken && exit 3; exec sleep 1000';
    const policy = ['--restart', 'on-failure', '--restart-limit', '3', '--restart-delay', '0s'];
    await ann.daemonry('start', 'web', ...policy, '--', 'sh', '-c', crashing);
    const answer = await ann.daemonry('autostart', 'enable', 'web');
    expect(answer).toMatchObject(enabled);
    await ann.sh('touch /tmp/broken');
    await ann.kill(pidOf(answer));
    await waitFor('the end of the service', async () => (await ann.unit(serviceOf(answer), 'ActiveState')) === 'failed', 30_000);
    expect(await ann.unit(serviceOf(answer), 'ExecMainStatus')).toBe('100');
    expect(await ann.unit(serviceOf(answer), 'NRestarts')).toBe('0');
    expect(await ann.status('web')).toMatchObject({ status: 'stopped', phase: 'failed', reason: 'crash-loop' });
    await ann.sh('rm /tmp/broken');
    expect(await ann.daemonry('start', 'web')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(await ann.unit(serviceOf(answer), 'ActiveState')).toBe('active');
  });

  it('autostart: one that can not be proven is not left behind, and what ran before runs again', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    // systemd tells its services that they are such.
    const refusing = 'test -z "$INVOCATION_ID" || { echo not so; exit 7; }; echo up; exec sleep 1000';
    const before = await ann.daemonry('start', 'web', '--ready', 'log:^up', '--', 'sh', '-c', refusing);
    expect(before).toMatchObject({ exitCode: 0 });
    const answer = await ann.daemonry('autostart', 'enable', 'web', 'nobody');
    expect(answer).toMatchObject({
      exitCode: 1,
      json: {
        results: [
          { name: 'web', outcome: 'failed', error: { code: 'ended-before-ready', exitCode: 7, logTail: ['not so'] } },
          { name: 'nobody', outcome: 'failed', error: { code: 'not-found' } },
        ],
      },
    });
    const after = await ann.status('web');
    expect(after).toMatchObject({ status: 'running', phase: 'ready' });
    expect(after.pid).not.toBe(before.json.pid);
    expect(await ann.sh('find ~/.config/systemd -name "daemonry*"; ls /volume/home')).toBe('web');
  });

  it('autostart: a project is back after a reboot, in the order of its dependencies', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    const told = (name: string) => `command: [sh, -c, "echo ${name} >>/volume/order; exec sleep 1000"]`;
    await ann.sh(`mkdir -p /volume/shop && cat >/volume/shop/daemonry.yaml <<'EOF'
daemons:
  web: { ${told('web')}, depends_on: { migrate: exited } }
  migrate: { command: [sh, -c, "echo migrate >>/volume/order"], depends_on: [db] }
  db: { ${told('db')}, restart: always }
EOF`);
    const file = ['--file', '/volume/shop/daemonry.yaml'];
    const answer = await ann.daemonry('autostart', 'enable', ...file);
    expect(answer).toMatchObject({ exitCode: 0 });
    expect((answer.json.results as { name: string; status: string }[]).map(({ name, status }) => `${name} ${status}`)).toEqual([
      'shop.web running',
      'shop.migrate stopped',
      'shop.db running',
    ]);
    expect(await ann.daemonry('autostart', 'disable', 'shop.db')).toMatchObject({
      exitCode: 1,
      json: { results: [{ outcome: 'failed', error: { code: 'other-project' } }] },
    });
    await ann.sh('rm /volume/order');
    await ann.reboot();
    await waitFor('the last of them', () => ann.isReady('shop.web'), 60_000);
    expect(await ann.sh('cat /volume/order')).toBe('db\nmigrate\nweb');
    expect((await ann.daemonry('autostart', 'status', ...file)).json.daemons).toMatchObject([
      { name: 'shop.web', managed: true, boot: 'starts' },
      { name: 'shop.migrate', managed: false, boot: 'starts' },
      { name: 'shop.db', managed: true, boot: 'starts' },
    ]);
    expect(await ann.daemonry('down', ...file)).toMatchObject({ exitCode: 0 });
    await waitFor('the end of the service', async () => (await ann.unit(serviceOf(answer), 'ActiveState')) === 'inactive');
    expect(await ann.daemonry('autostart', 'disable', ...file)).toMatchObject({ exitCode: 0 });
    expect(await ann.sh('find ~/.config/systemd -name "daemonry*"')).toBe('');
  });

  it('autostart: the upgrade of Node is survived, told as drift, and mended by doctor', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    const old = '/home/ann/.nvm/versions/node/v20.19.0';
    await ann.sh(`mkdir -p ${old}/bin && cp /usr/local/bin/node ${old}/bin/node`);
    await ann.daemonry('start', 'clock', ...sleeper);
    const byOldNode = `${old}/bin/node -- "$(readlink -f "$(command -v daemonry)")"`;
    expect(JSON.parse(await ann.sh(`${byOldNode} autostart enable clock --json`))).toMatchObject(enabled.json);
    expect(await ann.sh('cat /volume/home/_autostart/launcher')).toContain(`${old}/bin/node`);
    await ann.sh(`mv ${old} /home/ann/.nvm/versions/node/v22.0.0`);
    await ann.reboot();
    await waitFor('the daemon', () => ann.isReady('clock'), 60_000);
    expect((await ann.daemonry('autostart', 'status', 'clock')).json.daemons).toMatchObject([
      { boot: 'starts', managed: true, reasons: [{ code: 'missing-runtime', hint: 'daemonry doctor --fix' }] },
    ]);
    const drift = { code: 'autostart-drift', name: 'clock' };
    expect(await ann.daemonry('doctor')).toMatchObject({ exitCode: 1, json: { findings: [{ ...drift, fixed: false }] } });
    expect(await ann.daemonry('doctor', '--fix')).toMatchObject({ exitCode: 0, json: { findings: [{ ...drift, fixed: true }] } });
    expect(await ann.daemonry('doctor')).toMatchObject({ exitCode: 0, json: { findings: [] } });
    expect(await ann.sh('cat /volume/home/_autostart/launcher')).toContain("d_node='/usr/local/bin/node'");
    expect(await ann.isReady('clock')).toBe(true);
  });

  it('autostart: without lingering it says when the daemon starts, and by which command it would start at boot (F42)', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    await ann.daemonry('start', 'clock', ...sleeper);
    await ann.container.exec(['rm', '/var/lib/systemd/linger/ann']);
    const hint = 'sudo loginctl enable-linger ann';
    const answer = await ann.daemonry('autostart', 'enable', 'clock', '--linger');
    expect(answer).toMatchObject({
      exitCode: 0,
      json: { results: [{ outcome: 'enabled', boot: 'at-login', reasons: [{ code: 'not-lingering', hint }] }] },
    });
    expect((await ann.daemonry('autostart', 'status')).json.daemons).toMatchObject([{ boot: 'at-login', reasons: [{ hint }] }]);
    await ann.container.exec(['loginctl', 'enable-linger', 'ann']);
    expect((await ann.daemonry('autostart', 'status')).json.daemons).toMatchObject([{ boot: 'starts', reasons: [] }]);
    await ann.sh(`systemctl --user disable ${serviceOf(answer)}`);
    expect((await ann.daemonry('autostart', 'status')).json.daemons).toMatchObject([
      { boot: 'does-not-start', reasons: [{ code: 'disabled' }] },
    ]);
  });

  it('export: systemd gives a program the very arguments, variables and folder that its unit was made of', async (stage, row) => {
    const ann = await Ann.of(stage, row);
    const text = fc.string({
      unit: fc.constantFrom('%', '$', '\\', '"', "'", ' ', '\t', '\n', ';', '{', 'HOME', 'é', '日', 'h'),
      maxLength: 12,
    });
    const args = fc.sample(text, { numRuns: 150, seed: 8 });
    const [value = ''] = fc.sample(
      text.filter((one) => one.length > 8),
      { numRuns: 1, seed: 8 },
    );
    const cwd = `/volume/it's 100% "$HOME"\\`;
    const tells = 'console.log(JSON.stringify([process.argv.slice(1), process.env.VALUE, process.cwd()]))';
    const command = ['/usr/local/bin/node', '-e', tells, '--', ...args];
    const spec = { ...specDefaults, command, cwd, env: { VALUE: value } };
    const unit = exportedUnit({ id: 'x', name: 'x', command, spec, log: '/dev/null' });
    expect(unit.warnings).toEqual([]);
    await ann.exec('mkdir', '-p', cwd, '/home/ann/.config/systemd/user');
    await ann.container.copyContentToContainer([
      {
        content: unit.text.replace('[Service]', '[Service]\nStandardOutput=file:/volume/told'),
        target: '/home/ann/.config/systemd/user/x.service',
      },
    ]);
    await ann.sh('systemctl --user daemon-reload; systemctl --user start --wait x');
    await waitFor('what it tells', async () => (await ann.sh('cat /volume/told')).endsWith(']'));
    expect(JSON.parse(await ann.sh('cat /volume/told'))).toEqual([args, value, cwd]);
  });
});

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SystemdInstaller } from '../../../src/adapters/linux/systemd-installer.js';
import { LaunchdInstaller } from '../../../src/adapters/macos/launchd-installer.js';
import { TaskInstaller } from '../../../src/adapters/windows/task-installer.js';
import type { Clock } from '../../../src/domain/ports.js';
import { describeInstaller } from './installer-contract.js';
import { PlayedLaunchd, PlayedSystemd, PlayedTasks } from './played-managers.js';
import { entry } from './support.js';

/** Nobody waits in a play. */
const clock: Clock = { monotonicMs: () => 0, wallTime: () => '', sleep: async () => {} };
const { id } = entry;

function systemd(manager: PlayedSystemd, env: Record<string, string> = {}, uid = 1000): SystemdInstaller {
  const { tool, folder, home } = manager;
  onTestFinished(() => manager.dispose());
  const user = () => ({ uid, username: 'ann', homedir: home });
  return new SystemdInstaller({ env: { PATH: process.env.PATH, HOME: home, ...env }, clock, tool, root: folder, user });
}

function launchd(manager: PlayedLaunchd): LaunchdInstaller {
  const { tool, folder } = manager;
  onTestFinished(() => manager.dispose());
  return new LaunchdInstaller({ env: { HOME: folder }, clock, tool, logFolder: folder, user: () => ({ uid: 501, homedir: folder }) });
}

function tasks(manager: PlayedTasks): TaskInstaller {
  const { tool, folder } = manager;
  onTestFinished(() => manager.dispose());
  return new TaskInstaller({ env: { USERNAME: 'ann', USERDOMAIN: 'HOST' }, folder, tool });
}

describeInstaller('of systemd', () => {
  const manager = new PlayedSystemd();
  const turnOff = () => rmSync(join(manager.wants, `${id}.service`));
  return { installer: systemd(manager), running: () => [...manager.runs], turnOff, dispose: () => manager.dispose() };
});

describeInstaller('of launchd', () => {
  const manager = new PlayedLaunchd();
  const turnOff = () => void manager.flags.set(id, 'disabled');
  return { installer: launchd(manager), running: () => [...manager.runs], turnOff, dispose: () => manager.dispose() };
});

describeInstaller('of the Task Scheduler', () => {
  const manager = new PlayedTasks();
  const turnOff = () => {
    const task = `\\daemonry\\${id}`;
    const text = manager.tasks.get(task) as string;
    manager.tasks.set(task, text.replace(/(<Settings>[\s\S]*<Enabled>)true/, '$1false'));
  };
  return { installer: tasks(manager), running: () => [...manager.runs], turnOff, dispose: () => manager.dispose() };
});

describe('systemd', () => {
  it('is asked as the user, also where nothing in the environment tells the way to it', async () => {
    const manager = new PlayedSystemd();
    const runtime = join(manager.folder, 'run/user/1000');
    mkdirSync(runtime, { recursive: true });
    await systemd(manager).insist();
    await systemd(manager, { XDG_RUNTIME_DIR: '/run/of/her/own' }).insist();
    expect(manager.calls.map(({ env }) => env.XDG_RUNTIME_DIR)).toEqual([runtime, '/run/of/her/own']);
  });

  it('is not asked as the user from whose session somebody has come, by su or sudo', async () => {
    const manager = new PlayedSystemd();
    const uid = (process.getuid?.() ?? 0) + 1;
    const own = join(manager.folder, 'run/user', String(uid));
    mkdirSync(own, { recursive: true });
    await systemd(manager, { XDG_RUNTIME_DIR: manager.folder }, uid).insist();
    expect(manager.calls.map(({ env }) => env.XDG_RUNTIME_DIR)).toEqual([own]);
  });

  it('that does not run, or can not be asked, is said with the next step', async () => {
    await expect(systemd(new PlayedSystemd({ isBooted: false })).insist()).rejects.toMatchObject({
      code: 'no-service-manager',
      facts: { allowed: expect.stringContaining('--no-verify') },
    });
    const manager = new PlayedSystemd();
    const installer = systemd(manager);
    Object.assign(manager, { tool: async () => ({ status: 1, stdout: '', stderr: 'Failed to connect to bus: No medium found\n' }) });
    await expect(systemd(manager).insist()).rejects.toMatchObject({
      code: 'no-service-manager',
      message: expect.stringContaining('Failed to connect to bus'),
      facts: { allowed: expect.stringContaining('sudo loginctl enable-linger ann') },
    });
    // The unit is written all the same, and will be read at the next login.
    await installer.install(entry);
    expect(readdirSync(manager.wants)).toEqual([`${id}.service`]);
  });

  it('is told to let its user linger, and otherwise who may say so is told how', async () => {
    const manager = new PlayedSystemd();
    const installer = systemd(manager);
    await installer.install(entry);
    expect((await installer.sight(id)).obstacles).toMatchObject([{ code: 'not-lingering', untilLogin: true }]);
    manager.mayLinger = false;
    expect(await installer.linger()).toBe('sudo loginctl enable-linger ann');
    manager.mayLinger = true;
    expect(await installer.linger()).toBeUndefined();
    expect((await installer.sight(id)).obstacles).toEqual([]);
    expect(manager.lines.filter((line) => line.startsWith('loginctl'))).toEqual(Array(2).fill('loginctl enable-linger ann'));
  });

  it('reads its units where XDG_CONFIG_HOME says, and leaves nothing there after', async () => {
    const manager = new PlayedSystemd();
    const config = join(manager.folder, 'config');
    const installer = systemd(manager, { XDG_CONFIG_HOME: config });
    await installer.install(entry);
    expect(existsSync(join(config, 'systemd/user', `${id}.service`))).toBe(true);
    await installer.uninstall(id);
    expect(readdirSync(join(config, 'systemd/user'), { recursive: true })).toEqual(['default.target.wants']);
  });
});

describe('launchd', () => {
  it('is asked again while it still ends what it was to take out: Bootstrap failed: 5', async () => {
    const manager = new PlayedLaunchd();
    const installer = launchd(manager);
    await installer.install(entry);
    await installer.restart(entry);
    manager.lag = 3;
    manager.calls.length = 0;
    await installer.restart(entry);
    const plist = installer.place(id);
    expect(manager.lines).toEqual([`launchctl bootout gui/501/${id}`, ...Array(4).fill(`launchctl bootstrap gui/501 ${plist}`)]);
    manager.lag = 100;
    await expect(installer.restart(entry)).rejects.toMatchObject({
      code: 'autostart-failed',
      message: expect.stringContaining('failed: 5'),
    });
  });

  it('is told to enable what somebody disabled before it is to start it', async () => {
    const manager = new PlayedLaunchd();
    const installer = launchd(manager);
    for (const flag of ['disabled', 'true']) {
      manager.flags.set(id, flag);
      await installer.install(entry);
      await installer.restart(entry);
      expect([...manager.runs]).toEqual([id]);
      manager.flags.set(id, flag);
      expect((await installer.sight(id)).obstacles).toMatchObject([{ code: 'disabled', hint: `launchctl enable gui/501/${id}` }, {}]);
    }
    manager.flags.set(id, 'false');
    expect((await installer.sight(id)).obstacles).toMatchObject([{ code: 'at-login' }]);
  });

  it('has another domain for whoever is there by ssh alone', async () => {
    const manager = new PlayedLaunchd();
    manager.hasScreen = false;
    const installer = launchd(manager);
    await installer.insist();
    await installer.install(entry);
    await installer.restart(entry);
    expect(manager.lines).toContain(`launchctl bootstrap user/501 ${installer.place(id)}`);
  });
});

describe('the Task Scheduler', () => {
  it('is handed the definition in a file that is gone after', async () => {
    const manager = new PlayedTasks();
    const installer = tasks(manager);
    await installer.install(entry);
    expect(manager.lines[0]).toMatch(/^schtasks \/create \/tn \\daemonry\\daemonry-clock \/xml \S+ \/f$/);
    expect(manager.tasks.get(`\\daemonry\\${id}`)).toBe(installer.define(entry));
    expect(manager.tasks.get(`\\daemonry\\${id}`)).toContain('<UserId>HOST\\ann</UserId>');
    expect(readdirSync(manager.folder)).toEqual([]);
  });
});

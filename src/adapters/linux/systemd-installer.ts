import { existsSync, lstatSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import type { AutostartInstaller, BootObstacle, ServiceEntry, ServiceSighting, ServiceTimes } from '../../domain/autostart-installer.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Clock } from '../../domain/ports.js';
import { readDefinition, removeDefinition, writeDefinition } from '../autostart/definition-file.js';
import { runServiceTool, type ServiceTool, sayingOf, type ToolEnd } from '../autostart/service-tool.js';
import { serviceUnit } from '../autostart/systemd-unit.js';
import { naming } from '../files/file-errors.js';
import { findTool } from '../posix/find-executable.js';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ServiceUser {
  readonly uid: number;
  readonly username: string;
  readonly homedir: string;
}

export interface SystemdOptions {
  readonly env: Environment;
  readonly clock: Clock;
  readonly tool?: ServiceTool;
  readonly user?: () => ServiceUser;
  /** Where the machine's own files stand: another root is a test's. */
  readonly root?: string;
}

/** Beyond what systemd itself gives to what it starts or stops. */
const toolMarginMs = 15_000;
/** As long as a stop may take at the most: an hour. */
const longestStopMs = 3_600_000;
/** How long the manager of a user who begins to linger may take to come up. */
const managerTimeoutMs = 10_000;
const pollMs = 50;

/** Services of this user's own systemd. */
export class SystemdInstaller implements AutostartInstaller {
  readonly manager = 'systemd';
  readonly keepsText = true;
  private known: ServiceUser | undefined;

  constructor(private readonly options: SystemdOptions) {}

  place(id: string): string {
    return join(this.folder, `${id}.service`);
  }

  define(entry: ServiceEntry): string {
    return serviceUnit(entry, { canNotify: findTool('systemd-notify', this.options.env.PATH) !== undefined });
  }

  async insist(): Promise<void> {
    if (!existsSync(this.onMachine('/run/systemd/system'))) {
      throw new DaemonError('no-service-manager', 'systemd does not run here', {
        allowed: '--no-verify installs the unit all the same; daemonry export prints definitions for other managers',
      });
    }
    const end = await this.systemctl(['show', '--property=Version']);
    if (end.status === 0) return;
    throw new DaemonError('no-service-manager', `systemd can't be asked as ${this.user.username}: ${sayingOf(end)}`, {
      allowed: `it runs for users who are logged in, and for those who linger: ${this.wayToLinger}`,
    });
  }

  async install(entry: ServiceEntry): Promise<void> {
    const path = this.place(entry.id);
    writeDefinition(path, this.define(entry));
    // What `systemctl enable` would make, also where no systemd runs that could be asked for it.
    const link = this.wanted(entry.id);
    naming(link, 'write', () => {
      mkdirSync(dirname(link), { recursive: true });
      if (!isThere(link)) symlinkSync(path, link);
    });
    await this.systemctl(['daemon-reload']);
  }

  async uninstall(id: string): Promise<void> {
    // While the definition is there, which says how long that may take.
    if (isThere(this.place(id))) await this.systemctl(['stop', `${id}.service`], longestStopMs);
    removeDefinition(this.wanted(id));
    removeDefinition(this.place(id));
    await this.systemctl(['daemon-reload']);
    await this.systemctl(['reset-failed', `${id}.service`]);
  }

  async restart({ id, startTimeoutMs, stopTimeoutMs }: ServiceTimes): Promise<void> {
    // Its failures of before count for nothing, now that somebody asks for it.
    await this.systemctl(['reset-failed', `${id}.service`]);
    const end = await this.systemctl(['restart', `${id}.service`], startTimeoutMs + stopTimeoutMs + toolMarginMs);
    if (end.status === 0) return;
    throw new DaemonError('autostart-failed', `systemd could not start ${id}.service: ${sayingOf(end)}`, {
      service: `${id}.service`,
      allowed: `journalctl --user -u ${id} may tell more`,
    });
  }

  async sight(id: string): Promise<ServiceSighting> {
    const definition = readDefinition(this.place(id));
    if (definition === undefined) return { definition, isRunning: undefined, obstacles: [] };
    const end = await this.systemctl(['show', '--property=ActiveState,LoadState', `${id}.service`]);
    const seen = new Map(end.stdout.split('\n').map((line) => line.split('=', 2) as [string, string]));
    const unwanted = !isThere(this.wanted(id)) || seen.get('LoadState') === 'masked';
    return {
      definition,
      isRunning: end.status === 0 ? seen.get('ActiveState') === 'active' : undefined,
      obstacles: [...(unwanted ? [disabled(id)] : []), ...(this.lingers() ? [] : [this.notLingering()])],
    };
  }

  async linger(): Promise<string | undefined> {
    const { clock, tool = runServiceTool } = this.options;
    if (!this.lingers()) await tool('loginctl', ['enable-linger', this.user.username], { env: this.env });
    if (!this.lingers()) return this.wayToLinger;
    const deadline = clock.monotonicMs() + managerTimeoutMs;
    const isUp = async () => (await this.systemctl(['show', '--property=Version'])).status === 0;
    while (!(await isUp()) && clock.monotonicMs() < deadline) await clock.sleep(pollMs);
    return undefined;
  }

  private lingers(): boolean {
    return existsSync(join(this.onMachine('/var/lib/systemd/linger'), this.user.username));
  }

  private notLingering(): BootObstacle {
    const { username } = this.user;
    const message = `${username} does not linger: it starts when ${username} logs in, and ends with the last session`;
    return { code: 'not-lingering', message, hint: this.wayToLinger, untilLogin: true };
  }

  private get wayToLinger(): string {
    return `${this.user.uid === 0 ? '' : 'sudo '}loginctl enable-linger ${this.user.username}`;
  }

  private get user(): ServiceUser {
    this.known ??= (this.options.user ?? userInfo)();
    return this.known;
  }

  private get folder(): string {
    const { XDG_CONFIG_HOME, HOME } = this.options.env;
    const config = XDG_CONFIG_HOME && isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(HOME || this.user.homedir, '.config');
    return join(config, 'systemd', 'user');
  }

  private wanted(id: string): string {
    return join(this.folder, 'default.target.wants', `${id}.service`);
  }

  /** Where nobody has logged in, as under `su` or cron, the way to one's own systemd is not in the environment, or is another user's. */
  private get env(): Environment {
    const { env } = this.options;
    const own = this.onMachine(`/run/user/${this.user.uid}`);
    const isGiven = env.XDG_RUNTIME_DIR && !isOfAnother(env.XDG_RUNTIME_DIR, this.user.uid);
    return isGiven || !existsSync(own) ? env : { ...env, XDG_RUNTIME_DIR: own };
  }

  private onMachine(path: string): string {
    return `${this.options.root ?? ''}${path}`;
  }

  private systemctl(args: readonly string[], timeoutMs?: number): Promise<ToolEnd> {
    const { tool = runServiceTool } = this.options;
    return tool('systemctl', ['--user', ...args], { env: this.env, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }
}

function disabled(id: string): BootObstacle {
  const message = `${id}.service is disabled in systemd`;
  return { code: 'disabled', message, hint: `systemctl --user unmask ${id}; systemctl --user enable ${id}`, untilLogin: false };
}

function isOfAnother(path: string, uid: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.uid !== uid;
}

/** A link, whatever it leads to. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

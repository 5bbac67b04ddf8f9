import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { AutostartInstaller, BootObstacle, ServiceEntry, ServiceSighting, ServiceTimes } from '../../domain/autostart-installer.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Clock } from '../../domain/ports.js';
import { readDefinition, removeDefinition, writeDefinition } from '../autostart/definition-file.js';
import { serviceAgent } from '../autostart/launch-agent.js';
import { runServiceTool, type ServiceTool, sayingOf, type ToolEnd } from '../autostart/service-tool.js';

export interface LaunchdOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Where the output of services goes: launchd has no log of its own. */
  readonly logFolder: string;
  readonly tool?: ServiceTool;
  readonly user?: () => { readonly uid: number; readonly homedir: string };
}

/** Just after a `bootout`, which does not wait for its end, launchd answers `Bootstrap failed: 5: Input/output error`. */
const bootstrapAttempts = 10;
const bootstrapPauseMs = 500;

/** LaunchAgents of this user, which start when he logs in. */
export class LaunchdInstaller implements AutostartInstaller {
  readonly manager = 'launchd';
  readonly keepsText = true;
  private known: { readonly uid: number; readonly homedir: string } | undefined;
  private domainKnown: string | undefined;

  constructor(private readonly options: LaunchdOptions) {}

  place(id: string): string {
    return join(this.options.env.HOME || this.user.homedir, 'Library', 'LaunchAgents', `${id}.plist`);
  }

  define(entry: ServiceEntry): string {
    return serviceAgent(entry, join(this.options.logFolder, `${entry.id}.log`));
  }

  async insist(): Promise<void> {
    const end = await this.launchctl(['print', await this.domain()]);
    if (end.status === 0) return;
    throw new DaemonError('no-service-manager', `launchd can't be asked from here: ${sayingOf(end)}`, { allowed: 'ask from a terminal' });
  }

  async install(entry: ServiceEntry): Promise<void> {
    writeDefinition(this.place(entry.id), this.define(entry));
    // A flag that outlives the file: somebody, or the system's settings, may have set it.
    await this.launchctl(['enable', await this.target(entry.id)]);
  }

  async uninstall(id: string): Promise<void> {
    await this.launchctl(['bootout', await this.target(id)]);
    removeDefinition(this.place(id));
  }

  async restart({ id }: ServiceTimes): Promise<void> {
    const { clock } = this.options;
    await this.launchctl(['bootout', await this.target(id)]);
    for (let attempt = 1; ; attempt++) {
      const end = await this.launchctl(['bootstrap', await this.domain(), this.place(id)]);
      if (end.status === 0) return;
      if (attempt === bootstrapAttempts) {
        throw new DaemonError('autostart-failed', `launchd could not start ${id}: ${sayingOf(end)}`, {
          service: id,
          allowed: `launchctl print ${await this.target(id)} may tell more`,
        });
      }
      await clock.sleep(bootstrapPauseMs);
    }
  }

  async sight(id: string): Promise<ServiceSighting> {
    const definition = readDefinition(this.place(id));
    if (definition === undefined) return { definition, isRunning: undefined, obstacles: [] };
    const flags = await this.launchctl(['print-disabled', await this.domain()]);
    const seen = await this.launchctl(['print', await this.target(id)]);
    return {
      definition,
      isRunning: seen.status === 0 ? /^\s*state = running$/m.test(seen.stdout) : false,
      obstacles: [...(isDisabled(flags.stdout, id) ? [disabled(id, await this.target(id))] : []), atLogin],
    };
  }

  async linger(): Promise<string | undefined> {
    return 'nothing starts an agent of macOS before its user logs in: log in by itself, in the settings, or make it a daemon of the system';
  }

  private get user(): { readonly uid: number; readonly homedir: string } {
    this.known ??= (this.options.user ?? userInfo)();
    return this.known;
  }

  /** Of whoever is logged in at the screen; over ssh alone there is only the other. */
  private async domain(): Promise<string> {
    if (this.domainKnown === undefined) {
      const screen = `gui/${this.user.uid}`;
      this.domainKnown = (await this.launchctl(['print', screen])).status === 0 ? screen : `user/${this.user.uid}`;
    }
    return this.domainKnown;
  }

  private async target(id: string): Promise<string> {
    return `${await this.domain()}/${id}`;
  }

  private launchctl(args: readonly string[]): Promise<ToolEnd> {
    const { env, tool = runServiceTool } = this.options;
    return tool('launchctl', args, { env });
  }
}

/** `"daemonry-clock" => true` on older systems, `=> disabled` on newer ones. */
function isDisabled(flags: string, id: string): boolean {
  return flags.split('\n').some((line) => {
    const [, label, flag] = /^\s*"(.*)" => (\w+)\s*$/.exec(line) ?? [];
    return label === id && (flag === 'true' || flag === 'disabled');
  });
}

function disabled(id: string, target: string): BootObstacle {
  return { code: 'disabled', message: `launchd has ${id} flagged as disabled`, hint: `launchctl enable ${target}`, untilLogin: false };
}

/** What an agent is: nothing is wrong with it. */
const atLogin: BootObstacle = {
  code: 'at-login',
  message: 'an agent starts when its user logs in, and ends when he logs out',
  hint: 'let him be logged in by itself, or make it a daemon of the system',
  untilLogin: true,
};

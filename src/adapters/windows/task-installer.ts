import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { AutostartInstaller, BootObstacle, ServiceEntry, ServiceSighting, ServiceTimes } from '../../domain/autostart-installer.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { runServiceTool, type ServiceTool, sayingOf, type ToolEnd } from '../autostart/service-tool.js';
import { naming } from '../files/file-errors.js';
import { removeIfThere, temporaryPath } from '../files/safe-files.js';
import { serviceTask } from './task-definition.js';

export interface TaskOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a definition may stand for as long as schtasks reads it. */
  readonly folder: string;
  readonly tool?: ServiceTool;
  readonly username?: () => string;
}

const folderOfTasks = '\\daemonry\\';
/** schtasks reads nothing else with certainty: two bytes for each character, the lower first, and the mark that says so. */
const byteOrderMark = '\ufeff';

/** Tasks that run when this user logs in. They need no elevation, and no password is kept. */
export class TaskInstaller implements AutostartInstaller {
  readonly manager = 'windows-task';
  readonly keepsText = false;

  constructor(private readonly options: TaskOptions) {}

  place(id: string): string {
    return `${folderOfTasks}${id}`;
  }

  define(entry: ServiceEntry): string {
    return serviceTask(entry, this.user);
  }

  insist(): void {}

  async install(entry: ServiceEntry): Promise<void> {
    const path = temporaryPath(join(this.options.folder, `${entry.id}.xml`));
    try {
      naming(path, 'write', () => writeFileSync(path, byteOrderMark + this.define(entry), { encoding: 'utf16le', mode: 0o600 }));
      this.expect(entry.id, await this.schtasks(['/create', '/tn', this.place(entry.id), '/xml', path, '/f']));
    } finally {
      removeIfThere(path);
    }
  }

  async uninstall(id: string): Promise<void> {
    await this.schtasks(['/end', '/tn', this.place(id)]);
    await this.schtasks(['/delete', '/tn', this.place(id), '/f']);
  }

  async restart({ id }: ServiceTimes): Promise<void> {
    await this.schtasks(['/end', '/tn', this.place(id)]);
    this.expect(id, await this.schtasks(['/run', '/tn', this.place(id)]));
  }

  async sight(id: string): Promise<ServiceSighting> {
    const { status, stdout } = await this.schtasks(['/query', '/tn', this.place(id), '/xml']);
    if (status !== 0) return { definition: undefined, isRunning: undefined, obstacles: [] };
    // Of the settings, not of the trigger, which has one too.
    const settings = /<Settings>[\s\S]*<\/Settings>/.exec(stdout)?.[0] ?? '';
    const isOff = /<Enabled>\s*false\s*<\/Enabled>/i.test(settings);
    return { definition: stdout, isRunning: undefined, obstacles: [...(isOff ? [disabled(this.place(id))] : []), atLogin] };
  }

  linger(): string {
    return 'nothing runs a logon task before its user logs in: daemonry export --to windows-service prints what WinSW makes a service of';
  }

  private get user(): string {
    const { env, username = () => userInfo().username } = this.options;
    const name = env.USERNAME ?? username();
    return env.USERDOMAIN ? `${env.USERDOMAIN}\\${name}` : name;
  }

  private expect(id: string, end: ToolEnd): void {
    if (end.status === 0) return;
    throw new DaemonError('autostart-failed', `the Task Scheduler refused ${this.place(id)}: ${sayingOf(end)}`, {
      service: this.place(id),
      allowed: 'schtasks /query /v /fo list may tell more',
    });
  }

  private schtasks(args: readonly string[]): Promise<ToolEnd> {
    const { env, tool = runServiceTool } = this.options;
    return tool('schtasks', args, { env });
  }
}

function disabled(task: string): BootObstacle {
  return { code: 'disabled', message: `the task ${task} is disabled`, hint: `schtasks /change /tn ${task} /enable`, untilLogin: false };
}

const atLogin: BootObstacle = {
  code: 'at-login',
  message: 'a logon task starts when its user logs in',
  hint: 'daemonry export --to windows-service prints what WinSW makes a service of',
  untilLogin: true,
};

import { existsSync, rmSync } from 'node:fs';
import { join, sep } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';
import { supervisorName } from '../../domain/daemon-name.js';
import { stopDaemon } from '../../domain/stop-daemon.js';
import { composeMachine } from '../composition/compose.js';
import { machineSettings } from '../composition/settings.js';
import type { Daemon } from '../embed/daemon.js';
import type { DaemonStatus, RunningDaemon } from '../embed/running-daemon.js';
import type { DaemonPoolOptions, PooledDaemon } from './daemon-pool.js';
import { makePoolFolder } from './pool-folder.js';

/** One daemon of a pool, in a folder of its own. Each time that it is started anew it has a new home there. */
export class PooledPlace {
  /** Made by the first start. */
  private folder = '';
  private homes = 0;
  private daemon: Daemon | undefined;
  private running: RunningDaemon | undefined;
  private leased: PooledDaemon | undefined;
  isSpoilt = false;

  constructor(
    private readonly define: DaemonPoolOptions['define'],
    private readonly index: number,
    private readonly graceMs: number,
  ) {}

  /** Whoever has it, or what it was when nobody did. */
  get current(): PooledDaemon {
    return this.leased ?? this.lease(async () => {});
  }

  async start(): Promise<void> {
    if (this.folder === '') this.folder = await makePoolFolder();
    this.homes++;
    this.leased = undefined;
    const { home, folder, index } = this;
    const daemon = this.define({ home, folder, index });
    insistOnHome(home, await daemon.status());
    this.daemon = daemon;
    this.running = await daemon.start();
  }

  async restart(): Promise<void> {
    await this.stop();
    this.isSpoilt = false;
    await this.start();
  }

  /** Its process is the one that was started, it is ready, and the host's own question is answered with true. */
  async isWell(isHealthy: DaemonPoolOptions['isHealthy']): Promise<boolean> {
    try {
      const { status, phase, instanceId } = await (this.daemon as Daemon).status();
      if (status !== 'running' || phase !== 'ready' || instanceId !== this.running?.instanceId) return false;
      return isHealthy === undefined || (await isHealthy(this.current));
    } catch {
      return false;
    }
  }

  lease(giveBack: () => Promise<void>): PooledDaemon {
    let returned: Promise<void> | undefined;
    const { daemon, running, home, folder } = this;
    this.leased = {
      daemon: daemon as Daemon,
      running: running as RunningDaemon,
      home,
      folder,
      spoil: () => {
        if (returned === undefined) this.isSpoilt = true;
      },
      release: () => {
        returned ??= giveBack();
        return returned;
      },
    };
    return this.leased;
  }

  /** Everything that was started here. */
  async end(): Promise<void> {
    try {
      if (this.daemon) await this.stop();
    } finally {
      if (this.folder !== '') rmSync(this.folder, { recursive: true, force: true });
    }
  }

  /** All daemons of the home, its supervisor first, which would start others again. */
  private async stop(): Promise<void> {
    const machine = composeMachine(machineSettings({ home: this.home }));
    const stop = (name: string) => stopDaemon(machine, { ref: { name }, graceMs: this.graceMs });
    if (existsSync(this.home)) await stop(supervisorName);
    await Promise.all((await machine.descriptors.names()).map(stop));
    // It may have a descriptor of its own.
    await this.daemon?.stop({ graceMs: this.graceMs });
    rmSync(this.home, { recursive: true, force: true });
  }

  private get home(): string {
    return join(this.folder, String(this.homes));
  }
}

/** Before anything is started or ended: it may be a daemon that somebody needs. */
function insistOnHome(home: string, { name, descriptor }: DaemonStatus): void {
  if (descriptor.startsWith(home + sep)) return;
  throw new DaemonError('invalid-spec', `${name} is not kept in the home that the pool has for it: it would be everybody's`, {
    option: 'define',
    allowed: 'define gives home to defineDaemon',
  });
}

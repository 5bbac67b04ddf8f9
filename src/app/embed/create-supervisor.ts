import { randomId } from '../../adapters/files/random-id.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { checkedName } from '../../domain/daemon-name.js';
import { lookClosely } from '../../domain/look.js';
import { type Checks, callback, checkOptions, path } from '../../domain/option-checks.js';
import type { SupervisingMachine } from '../../domain/ports.js';
import { type StopResult, stopDaemon } from '../../domain/stop-daemon.js';
import { Supervisor } from '../../domain/supervisor.js';
import { machineSettings } from '../composition/settings.js';
import { composeSupervisingMachine } from '../composition/supervising-machine.js';
import type { Cancellable } from './daemon.js';
import { checkedCall } from './daemon-option-checks.js';
import { type DaemonOptions, specFromOptions } from './daemon-options.js';
import { type DaemonStatus, describeStatus, type RunningDaemon, running } from './running-daemon.js';

/** Whose daemons a supervisor keeps, and who hears of it. */
export interface SupervisorOptions {
  /** Where the daemons are kept; `DAEMONRY_HOME` or the platform's usual place unless given. */
  readonly home?: string | undefined;
  /** Told in a few words what it does about which daemon. */
  readonly onEvent?: ((event: { readonly name: string; readonly message: string }) => void) | undefined;
}

/** A daemon that this program supervises: where and by which descriptor it is kept is the supervisor's. */
export type SupervisedOptions = Omit<DaemonOptions, 'home' | 'descriptor' | 'ownedBy' | 'protocol'>;

/**
 * A supervisor within this program: what it starts are this program's own children, restarted by their policy for as long
 * as the program lives. They outlive it; whoever supervises this home next takes them over. It keeps nothing alive, prints
 * nothing, and handles no signal.
 *
 * @example
 * const supervisor = createSupervisor({ home: '/var/lib/acme/daemons' });
 * await supervisor.takeOver();
 * await supervisor.start({ name: 'worker', command: process.execPath, args: ['worker.js'], restart: 'always' });
 * process.on('SIGTERM', () => supervisor.stopAll().then(() => process.exit()));
 */
export interface EmbeddedSupervisor {
  /** What it keeps running now. */
  readonly names: readonly string[];
  /**
   * Starts it unless it runs. One that runs already, and was started with no policy or is kept by another supervisor, is found and not
   * kept, which `onEvent` is told: `stop` it and start it again to have it kept. Throws as `Daemon.start` does, and `invalid-spec`
   * where its policy is `never`.
   */
  start(options: SupervisedOptions & Cancellable): Promise<RunningDaemon>;
  /** As `start`, and replaces another one as `onMismatch` says. */
  ensure(options: SupervisedOptions & Cancellable): Promise<RunningDaemon>;
  /** As it was started last. Throws `not-found`. */
  restart(name: string, options?: Cancellable): Promise<RunningDaemon>;
  /** As `Daemon.stop`, for good: it is not started again. */
  stop(name: string, options?: Cancellable & { readonly graceMs?: number }): Promise<StopResult>;
  /** As `Daemon.status`: of any daemon of this home. */
  status(name: string): Promise<DaemonStatus>;
  /** Keeps running what a supervisor of this home kept that is gone. */
  takeOver(): Promise<void>;
  /**
   * Keeps nothing any more, at once, and leaves the daemons as they are. Resolves when their records say so, so that another
   * supervisor takes them over though this program lives on; one that ends need not wait for that.
   */
  leave(): Promise<void>;
  /** Stops all that it keeps, the last started first, each within its own grace. */
  stopAll(): Promise<void>;
}

const checks: Checks<SupervisorOptions> = { home: path, onEvent: callback };

/** Nothing is started or touched by this alone. Throws `invalid-spec`. */
export function createSupervisor(options: SupervisorOptions = {}): EmbeddedSupervisor {
  checkOptions(options, checks);
  return new SupervisorInProgram(options);
}

class SupervisorInProgram implements EmbeddedSupervisor {
  private readonly machine: SupervisingMachine;
  private readonly supervisor: Supervisor;

  constructor({ home, onEvent }: SupervisorOptions) {
    this.machine = composeSupervisingMachine(machineSettings({ home }));
    const { pid, startToken } = this.machine.inspector.vantage() as { pid: number; startToken: string };
    const say = (name: string, message: string) => onEvent?.({ name, message });
    this.supervisor = new Supervisor(this.machine, { pid, startToken, instanceId: randomId() }, { say, kept: () => {} });
    // What goes wrong with a log goes wrong again at the next look, and never here.
    void this.supervisor.boundLogs().catch((error: Error) => say('', error.message));
  }

  get names(): readonly string[] {
    return this.supervisor.names;
  }

  async start(options: SupervisedOptions & Cancellable): Promise<RunningDaemon> {
    return running(await this.supervisor.start(requestFrom(options)));
  }

  async ensure(options: SupervisedOptions & Cancellable): Promise<RunningDaemon> {
    return running(await this.supervisor.ensure(requestFrom(options)));
  }

  async restart(name: string, options: Cancellable = {}): Promise<RunningDaemon> {
    const { signal } = checkedCall(options);
    return running(await this.supervisor.restart({ ref: { name: checkedName(name) }, signal }));
  }

  async stop(name: string, options: Cancellable & { graceMs?: number } = {}): Promise<StopResult> {
    const { graceMs, signal } = checkedCall(options);
    return stopDaemon(this.machine, { ref: { name: checkedName(name) }, graceMs, signal });
  }

  async status(name: string): Promise<DaemonStatus> {
    return describeStatus(await lookClosely(this.machine, { name: checkedName(name) }), null);
  }

  takeOver(): Promise<void> {
    return this.supervisor.takeOver();
  }

  leave(): Promise<void> {
    return this.supervisor.handOver();
  }

  stopAll(): Promise<void> {
    return this.supervisor.stopAll();
  }
}

function requestFrom(options: SupervisedOptions & Cancellable) {
  const spec = specFromOptions(options);
  if (spec.restart === 'never') {
    throw new DaemonError('invalid-spec', `${options.name} is never to be restarted: nothing is to be supervised`, {
      option: 'restart',
      allowed: 'restart is on-failure or always',
    });
  }
  const { name, onMismatch, signal } = checkedCall(options);
  return { ref: { name }, spec, onMismatch, signal };
}

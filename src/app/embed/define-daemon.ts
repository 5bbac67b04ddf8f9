import { resolve } from 'node:path';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import { checkedName } from '../../domain/daemon-name.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import { ensureByPolicy, restartByPolicy, type SupervisedMachine, startByPolicy } from '../../domain/delegate.js';
import { lookClosely } from '../../domain/look.js';
import type { DaemonRef } from '../../domain/ports.js';
import { type StopResult, stopDaemon } from '../../domain/stop-daemon.js';
import { createMachine } from '../composition/container.js';
import { machineSettings } from '../composition/settings.js';
import { withSupervisor } from '../composition/supervising.js';
import { type Connection, openConnection } from './connection.js';
import { type DaemonOptions, milliseconds, specFromOptions } from './daemon-options.js';
import { type DaemonStatus, describeStatus, type RunningDaemon, running } from './running-daemon.js';

export interface Cancellable {
  /** Aborting it fails the call with `cancelled`; a daemon that is being started is ended again. */
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectOptions extends Cancellable {
  /** How long the daemon may take to answer, once it runs. Default: its `readyTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * A daemon of the embedding program's own. Nothing here prints, exits the process, or keeps it alive. Expected ends are
 * return values; failures throw `DaemonError` with a `code`.
 */
export interface Daemon {
  readonly name: string;
  /** Starts it unless it runs. Throws `ended-before-ready`, `ready-timeout`, `command-not-found`, `unwritable`, … */
  start(options?: Cancellable & { readonly force?: boolean }): Promise<RunningDaemon>;
  /** As `start`, and replaces an instance of an older version. One winner among any number of callers. */
  ensure(options?: Cancellable): Promise<RunningDaemon>;
  /** Ends it, all of it. Stopping what does not run is a success. Throws `unknown-daemon`, `not-permitted`, `stop-timeout`. */
  stop(options?: Cancellable & { readonly graceMs?: number }): Promise<StopResult>;
  restart(options?: Cancellable & { readonly graceMs?: number }): Promise<RunningDaemon>;
  /** How it is. Starts, writes and locks nothing. */
  status(): Promise<DaemonStatus>;
  /** Ensures it, and returns a connection to it after the handshake. Throws `not-serving` where it does not listen in time. */
  connect(options?: ConnectOptions): Promise<Connection>;
  /** The last lines of its log, oldest first. Default 10. */
  logs(options?: { readonly lines?: number }): Promise<readonly string[]>;
}

const connectPollMs = 10;

/** Describes a daemon; nothing is started or touched. Throws `invalid-name`, `invalid-spec`. */
export function defineDaemon(options: DaemonOptions): Daemon {
  const name = checkedName(options.name);
  const ref: DaemonRef = options.descriptor === undefined ? { name } : { name, descriptor: resolve(options.descriptor) };
  return new DefinedDaemon(ref, specFromOptions(options), options.home);
}

class DefinedDaemon implements Daemon {
  private composed: SupervisedMachine | undefined;

  constructor(
    private readonly ref: DaemonRef,
    private readonly spec: DaemonSpec,
    private readonly home: string | undefined,
  ) {}

  get name(): string {
    return this.ref.name;
  }

  async start(options: Cancellable & { force?: boolean } = {}): Promise<RunningDaemon> {
    return running(await startByPolicy(this.machine, { ref: this.ref, spec: this.spec, force: options.force, signal: options.signal }));
  }

  async ensure(options: Cancellable = {}): Promise<RunningDaemon> {
    return running(await ensureByPolicy(this.machine, { ref: this.ref, spec: this.spec, signal: options.signal }));
  }

  async stop(options: Cancellable & { graceMs?: number } = {}): Promise<StopResult> {
    const graceMs = options.graceMs === undefined ? undefined : milliseconds('graceMs', options.graceMs, 0);
    return stopDaemon(this.machine, { ref: this.ref, graceMs, signal: options.signal });
  }

  async restart(options: Cancellable & { graceMs?: number } = {}): Promise<RunningDaemon> {
    const graceMs = milliseconds('graceMs', options.graceMs, this.spec.graceMs);
    return running(await restartByPolicy(this.machine, { ref: this.ref, spec: this.spec, graceMs, signal: options.signal }));
  }

  async status(): Promise<DaemonStatus> {
    return describeStatus(await lookClosely(this.machine, this.ref), this.spec.log);
  }

  async connect(options: ConnectOptions = {}): Promise<Connection> {
    const { signal } = options;
    const { clock } = this.machine;
    const timeoutMs = milliseconds('timeoutMs', options.timeoutMs, this.spec.readyTimeoutMs);
    const instances = new Set<string>();
    let deadline: number | undefined;
    for (;;) {
      const { socket, instanceId } = await this.ensure({ signal });
      deadline ??= clock.monotonicMs() + timeoutMs;
      const leftMs = deadline - clock.monotonicMs();
      // One that ended between the two, as an idle one may, is started once more; no more often.
      if (socket === null || leftMs <= 0 || instances.add(instanceId).size > 2) throw this.notServing(timeoutMs);
      try {
        return await openConnection(socket, { instanceId, timeoutMs: leftMs, signal });
      } catch (error) {
        // It may run and not listen yet: with `exec` for readiness nobody has waited for that.
        if (!isDaemonError(error) || error.code !== 'not-serving') throw error;
        await clock.sleep(connectPollMs, signal);
      }
    }
  }

  async logs(options: { lines?: number } = {}): Promise<readonly string[]> {
    return this.machine.logs.tail((await this.status()).log, options.lines ?? 10);
  }

  /** Composed at the first use, so that describing a daemon costs nothing. */
  private get machine(): SupervisedMachine {
    this.composed ??= withSupervisor(createMachine({ home: this.home }), machineSettings({ home: this.home }));
    return this.composed;
  }

  private notServing(timeoutMs: number): DaemonError {
    return new DaemonError('not-serving', `${this.name} runs, but did not answer on its socket within ${timeoutMs} ms`, {
      name: this.name,
    });
  }
}

import type { Socket } from 'node:net';
import type { SimulatedActor } from '../../adapters/simulated/simulated-actor.js';
import { SimulatedSupervisorChannel } from '../../adapters/simulated/simulated-supervisor-channel.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { checkedName } from '../../domain/daemon-name.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import { ensureByPolicy, restartByPolicy, type SupervisedMachine, startByPolicy } from '../../domain/delegate.js';
import { lookClosely } from '../../domain/look.js';
import type { OnMismatch } from '../../domain/mismatch.js';
import type { DaemonRef } from '../../domain/ports.js';
import { type StopResult, stopDaemon } from '../../domain/stop-daemon.js';
import type { Connection } from '../embed/connection.js';
import type { Cancellable, ConnectOptions, Daemon, FollowOptions, LogOptions, RawConnectOptions } from '../embed/daemon.js';
import { type DaemonOptions, onMismatchFromOptions, specFromOptions } from '../embed/daemon-options.js';
import { type DaemonStatus, describeStatus, type RunningDaemon, running } from '../embed/running-daemon.js';
import { SimulatedConnection } from './simulated-connection.js';
import type { SimulatedServices } from './simulated-service.js';
import { supervisorSpec } from './simulated-supervisor.js';

const connectPollMs = 10;
/** How long one peer may take to say hello. */
const helloTimeoutMs = 1_000;

/** A daemon on a simulated machine, in the hands of one of its programs: the use cases are those that run on real ones. */
export class SimulatedDaemon implements Daemon {
  private readonly ref: DaemonRef;
  private readonly spec: DaemonSpec;
  private readonly onMismatch: OnMismatch | undefined;
  private readonly machine: SupervisedMachine;

  constructor(
    private readonly actor: SimulatedActor,
    private readonly services: SimulatedServices,
    options: DaemonOptions,
  ) {
    if (options.ownedBy !== undefined) throw notSimulated('ownedBy');
    if (options.protocol !== undefined) throw notSimulated('protocol');
    const name = checkedName(options.name);
    this.ref = options.descriptor === undefined ? { name } : { name, descriptor: options.descriptor };
    this.spec = specFromOptions({ ...options, cwd: '/' });
    this.onMismatch = onMismatchFromOptions(options);
    this.machine = { ...actor.machine, supervisorSpec, supervisor: new SimulatedSupervisorChannel(actor) };
  }

  get name(): string {
    return this.ref.name;
  }

  async start({ force, signal }: Cancellable & { force?: boolean } = {}): Promise<RunningDaemon> {
    return running(await startByPolicy(this.machine, { ref: this.ref, spec: this.spec, force, signal }));
  }

  async ensure({ signal }: Cancellable = {}): Promise<RunningDaemon> {
    return running(await ensureByPolicy(this.machine, { ref: this.ref, spec: this.spec, onMismatch: this.onMismatch, signal }));
  }

  stop({ graceMs, signal }: Cancellable & { graceMs?: number } = {}): Promise<StopResult> {
    return stopDaemon(this.machine, { ref: this.ref, graceMs, signal });
  }

  async restart({ graceMs = this.spec.graceMs, signal }: Cancellable & { graceMs?: number } = {}): Promise<RunningDaemon> {
    return running(await restartByPolicy(this.machine, { ref: this.ref, spec: this.spec, graceMs, signal }));
  }

  async status(_options: Cancellable = {}): Promise<DaemonStatus> {
    return describeStatus(await lookClosely(this.machine, this.ref), null);
  }

  logs(options: FollowOptions): AsyncIterable<string>;
  logs(options?: LogOptions): Promise<readonly string[]>;
  logs({ lines = 10, follow }: LogOptions & Partial<FollowOptions> = {}): AsyncIterable<string> | Promise<readonly string[]> {
    if (follow) throw notSimulated('logs({ follow: true })');
    return this.status().then(({ log }) => this.machine.logs.tail(log, lines) as Promise<readonly string[]>);
  }

  connect(options: RawConnectOptions): Promise<Socket>;
  connect(options?: ConnectOptions): Promise<Connection>;
  async connect(options: ConnectOptions & Partial<RawConnectOptions> = {}): Promise<Connection & Socket> {
    const { timeoutMs = this.spec.readyTimeoutMs, signal } = options;
    if (options.raw) throw notSimulated('connect({ raw: true })');
    const { clock, control } = this.machine;
    const instances = new Set<string>();
    let deadline: number | undefined;
    for (;;) {
      const { socket, instanceId } = await this.ensure({ signal });
      deadline ??= clock.monotonicMs() + timeoutMs;
      const leftMs = deadline - clock.monotonicMs();
      // One that ended between the two is started once more; no more often.
      if (socket === null || leftMs <= 0 || instances.add(instanceId).size > 2) throw this.notServing(timeoutMs);
      const hello = await control.hello(socket, Math.min(leftMs, helloTimeoutMs));
      const listener = this.actor.world.network.find(socket);
      const service = listener && this.services.get(listener.process);
      if (hello.kind === 'hello' && hello.instanceId === instanceId && service)
        // Nobody outside can make a connection, or ask whether it is one: what it can do is all that there is.
        return new SimulatedConnection(this.actor, listener, service) as unknown as Connection & Socket;
      await clock.sleep(connectPollMs, signal);
      if (signal?.aborted) throw new DaemonError('cancelled', `connecting to ${this.name} was cancelled`, { name: this.name });
    }
  }

  private notServing(timeoutMs: number): DaemonError {
    const { name } = this;
    return new DaemonError('not-serving', `${name} runs, but did not answer on its socket within ${timeoutMs} ms`, { name });
  }
}

function notSimulated(what: string): DaemonError {
  return new DaemonError('unsupported', `${what} is not simulated`, { what });
}

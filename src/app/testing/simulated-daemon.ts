import type { Socket } from 'node:net';
import type { SimulatedActor } from '../../adapters/simulated/simulated-actor.js';
import { SimulatedSupervisorChannel } from '../../adapters/simulated/simulated-supervisor-channel.js';
import { DaemonError } from '../../domain/daemon-error.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import { ensureByPolicy, restartByPolicy, type SupervisedMachine, startByPolicy } from '../../domain/delegate.js';
import { lookClosely } from '../../domain/look.js';
import type { OnMismatch } from '../../domain/mismatch.js';
import type { DaemonRef } from '../../domain/ports.js';
import { type StopResult, stopDaemon } from '../../domain/stop-daemon.js';
import type { Connection } from '../embed/connection.js';
import type { Cancellable, ConnectOptions, Daemon, FollowOptions, LogOptions, RawConnectOptions } from '../embed/daemon.js';
import { checkedCall } from '../embed/daemon-option-checks.js';
import { type DaemonOptions, specFromOptions } from '../embed/daemon-options.js';
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
    this.spec = specFromOptions({ ...options, cwd: '/' });
    const { name, descriptor, onMismatch, ownedBy, protocol } = options;
    if (ownedBy !== undefined) throw notSimulated('ownedBy');
    if (protocol !== undefined) throw notSimulated('protocol');
    this.ref = descriptor === undefined ? { name } : { name, descriptor };
    this.onMismatch = onMismatch;
    this.machine = { ...actor.machine, supervisorSpec, supervisor: new SimulatedSupervisorChannel(actor) };
  }

  get name(): string {
    return this.ref.name;
  }

  async start(options: Cancellable & { force?: boolean } = {}): Promise<RunningDaemon> {
    const { force, signal } = checkedCall(options);
    return running(await startByPolicy(this.machine, { ref: this.ref, spec: this.spec, force, signal }));
  }

  async ensure(options: Cancellable = {}): Promise<RunningDaemon> {
    const { signal } = checkedCall(options);
    return running(await ensureByPolicy(this.machine, { ref: this.ref, spec: this.spec, onMismatch: this.onMismatch, signal }));
  }

  async stop(options: Cancellable & { graceMs?: number } = {}): Promise<StopResult> {
    const { graceMs, signal } = checkedCall(options);
    return stopDaemon(this.machine, { ref: this.ref, graceMs, signal });
  }

  async restart(options: Cancellable & { graceMs?: number } = {}): Promise<RunningDaemon> {
    const { graceMs = this.spec.graceMs, signal } = checkedCall(options);
    return running(await restartByPolicy(this.machine, { ref: this.ref, spec: this.spec, graceMs, signal }));
  }

  async status(options: Cancellable = {}): Promise<DaemonStatus> {
    checkedCall(options);
    return describeStatus(await lookClosely(this.machine, this.ref), null);
  }

  logs(options: FollowOptions): AsyncIterable<string>;
  logs(options?: LogOptions): Promise<readonly string[]>;
  logs(options: LogOptions & Partial<FollowOptions> = {}): AsyncIterable<string> | Promise<readonly string[]> {
    if (options?.follow) throw notSimulated('logs({ follow: true })');
    return this.tail(options);
  }

  connect(options: RawConnectOptions): Promise<Socket>;
  connect(options?: ConnectOptions): Promise<Connection>;
  async connect(options: ConnectOptions & Partial<RawConnectOptions> = {}): Promise<Connection & Socket> {
    const { raw, timeoutMs = this.spec.readyTimeoutMs, signal } = checkedCall(options);
    if (raw) throw notSimulated('connect({ raw: true })');
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

  private async tail(options: LogOptions): Promise<readonly string[]> {
    const { lines = 10 } = checkedCall(options);
    const { log } = await this.status();
    return this.machine.logs.tail(log, lines);
  }

  private notServing(timeoutMs: number): DaemonError {
    const { name } = this;
    return new DaemonError('not-serving', `${name} runs, but did not answer on its socket within ${timeoutMs} ms`, { name });
  }
}

function notSimulated(what: string): DaemonError {
  return new DaemonError('unsupported', `${what} is not simulated`, { what });
}

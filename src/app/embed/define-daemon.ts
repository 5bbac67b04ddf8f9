import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import type { DaemonSpec } from '../../domain/daemon-spec.js';
import { ensureByPolicy, restartByPolicy, type SupervisedMachine, startByPolicy } from '../../domain/delegate.js';
import { lookClosely } from '../../domain/look.js';
import type { OnMismatch } from '../../domain/mismatch.js';
import { isObject } from '../../domain/option-checks.js';
import type { Owner } from '../../domain/owner.js';
import type { DaemonRef } from '../../domain/ports.js';
import { type ProtocolRange, parseProtocolRange } from '../../domain/protocol-range.js';
import type { StartResult } from '../../domain/start-daemon.js';
import { type StopResult, stopDaemon } from '../../domain/stop-daemon.js';
import type { Connection } from './connection.js';
import type { Cancellable, ConnectOptions, Daemon, FollowOptions, LogOptions, RawConnectOptions } from './daemon.js';
import { checkedCall } from './daemon-option-checks.js';
import { type DaemonOptions, specFromOptions } from './daemon-options.js';
import { type HostMachine, hostMachine, isOutdated } from './host-machine.js';
import { followLog, linesSince } from './log-reading.js';
import { ownerOf } from './owner.js';
import { bareSocket, handshake, reachDaemon, unownable } from './reach-daemon.js';
import { type DaemonStatus, describeStatus, type RunningDaemon, running } from './running-daemon.js';

const defaultLines = 10;

/** Describes a daemon; nothing is started or touched. Throws `invalid-name`, `invalid-spec`. */
export function defineDaemon(options: DaemonOptions): Daemon {
  const spec = specFromOptions(options);
  const { name, descriptor, onMismatch, protocol, ownedBy, home } = options;
  const ref: DaemonRef = descriptor === undefined ? { name } : { name, descriptor: resolve(descriptor) };
  return new DefinedDaemon(ref, { spec, onMismatch, speaks: parseProtocolRange(protocol), ownedBy, home });
}

/** The options, made whole. */
interface Definition {
  readonly spec: DaemonSpec;
  readonly onMismatch: OnMismatch | undefined;
  readonly speaks: ProtocolRange | undefined;
  readonly ownedBy: DaemonOptions['ownedBy'];
  readonly home: string | undefined;
}

class DefinedDaemon implements Daemon {
  private host: HostMachine | undefined;

  constructor(
    private readonly ref: DaemonRef,
    private readonly definition: Definition,
  ) {}

  get name(): string {
    return this.ref.name;
  }

  async start(options: Cancellable & { force?: boolean } = {}): Promise<RunningDaemon> {
    const { force, signal } = checkedCall(options);
    const owner = await this.owner();
    return this.owned(await startByPolicy(this.machine, { ...this.request, force, signal, owner }), owner, signal);
  }

  async ensure(options: Cancellable = {}): Promise<RunningDaemon> {
    const { signal } = checkedCall(options);
    const owner = await this.owner();
    return this.owned(await this.ensured(owner, signal), owner, signal);
  }

  async stop(options: Cancellable & { graceMs?: number } = {}): Promise<StopResult> {
    const { graceMs, signal } = checkedCall(options);
    return stopDaemon(this.machine, { ref: this.ref, graceMs, signal });
  }

  async restart(options: Cancellable & { graceMs?: number } = {}): Promise<RunningDaemon> {
    const { graceMs = this.definition.spec.graceMs, signal } = checkedCall(options);
    const owner = await this.owner();
    return this.owned(await restartByPolicy(this.machine, { ...this.request, graceMs, signal, owner }), owner, signal);
  }

  async status(options: Cancellable = {}): Promise<DaemonStatus> {
    const { signal } = checkedCall(options);
    this.goOn(signal);
    const status = describeStatus(await lookClosely(this.machine, this.ref), this.definition.spec.log);
    this.goOn(signal);
    return status;
  }

  connect(options: RawConnectOptions): Promise<Socket>;
  connect(options?: ConnectOptions): Promise<Connection>;
  async connect(options: ConnectOptions & Partial<RawConnectOptions> = {}): Promise<Connection | Socket> {
    const { raw, opening, timeoutMs = this.definition.spec.readyTimeoutMs, signal } = checkedCall(options);
    const owner = await this.owner();
    const ensure = () => this.ensured(owner, signal);
    if (!raw) return this.hold(ensure, owner, { timeoutMs, signal });
    // A bare socket holds nothing: a process is told as owner over a connection of its own.
    if (owner !== undefined) await this.ensure({ signal });
    return reachDaemon({ name: this.name, clock: this.machine.clock, ensure, timeoutMs, signal }, bareSocket(this.name, opening));
  }

  logs(options: FollowOptions): AsyncIterable<string>;
  logs(options?: LogOptions): Promise<readonly string[]>;
  logs(options: LogOptions & Partial<FollowOptions> = {}): AsyncIterable<string> | Promise<readonly string[]> {
    // Each tells what is wrong with them in its own way: by a rejection, or in the loop.
    return isObject(options as unknown) && options.follow ? this.follow(options) : this.tail(options);
  }

  private async tail(options: LogOptions): Promise<readonly string[]> {
    const { lines, since, signal } = checkedCall(options);
    const { log } = await this.status({ signal });
    if (since === undefined) return this.machine.logs.tail(log, lines ?? defaultLines);
    return linesSince(log, { lines: lines ?? Number.MAX_SAFE_INTEGER, since });
  }

  private async *follow(options: LogOptions): AsyncGenerator<string, void> {
    const { lines, since, signal } = checkedCall(options);
    if (signal?.aborted) return;
    const { log } = await this.status();
    const wanted = lines ?? (since === undefined ? defaultLines : Number.MAX_SAFE_INTEGER);
    yield* followLog(log, { lines: wanted, since }, this.machine.clock, signal);
  }

  private ensured(owner: Owner | undefined, signal: AbortSignal | undefined): Promise<StartResult> {
    return ensureByPolicy(this.machine, { ...this.request, onMismatch: this.definition.onMismatch, signal, owner });
  }

  /**
   * Has a daemon that runs know the process that owns it. One that we have started was told at once, and must understand it; one
   * that was there may be there to stay, and need not even listen.
   */
  private async owned(result: StartResult, owner: Owner | undefined, signal: AbortSignal | undefined): Promise<RunningDaemon> {
    if (owner === undefined || owner === 'connection' || result.outcome === 'starting') return running(result);
    const { readyTimeoutMs: timeoutMs } = this.definition.spec;
    const results: StartResult[] = [];
    const ensure = async () => {
      results.push(results.length === 0 ? result : await this.ensured(owner, signal));
      return results.at(-1) as StartResult;
    };
    try {
      (await this.hold(ensure, owner, { timeoutMs, signal })).close();
    } catch (error) {
      if (!isDaemonError(error) || (error.code !== 'not-serving' && error.code !== 'protocol-error')) throw error;
    }
    // The first answer about the instance that runs now: the later ones only say that it does.
    const { instanceId } = (results.at(-1) as StartResult).descriptor;
    return running(results.find(({ descriptor }) => descriptor.instanceId === instanceId) as StartResult);
  }

  /** A connection that holds it for its owner. What was started for an owner and does not know of owners would stay for ever: it is ended. */
  private async hold(
    ensure: () => Promise<StartResult>,
    owner: Owner | undefined,
    { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal | undefined },
  ): Promise<Connection> {
    const started = new Set<string>();
    let last = '';
    const noting = async () => {
      const result = await ensure();
      last = result.descriptor.instanceId;
      if (result.outcome === 'started' || result.outcome === 'replaced') started.add(last);
      return result;
    };
    const reach = { name: this.name, clock: this.machine.clock, ensure: noting, timeoutMs, signal };
    try {
      return await reachDaemon(reach, handshake(this.name, this.definition.speaks, owner));
    } catch (error) {
      const isInVain = isDaemonError(error) && ['not-serving', 'protocol-error', 'unsupported'].includes(error.code);
      if (owner === undefined || !isInVain || !started.has(last)) throw error;
      await stopDaemon(this.machine, { ref: this.ref, instanceId: last });
      throw unownable(this.name, error);
    }
  }

  private get request(): { readonly ref: DaemonRef; readonly spec: DaemonSpec } {
    return { ref: this.ref, spec: this.definition.spec };
  }

  private async owner(): Promise<Owner | undefined> {
    const { ownedBy } = this.definition;
    return ownedBy === undefined ? undefined : ownerOf(ownedBy, this.machine);
  }

  /** Composed at the first use, so that describing a daemon costs nothing. Its home stays what it was then. */
  private get machine(): SupervisedMachine {
    if (this.host === undefined || isOutdated(this.host)) this.host = hostMachine(this.host?.home ?? this.definition.home);
    return this.host.machine;
  }

  private goOn(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw new DaemonError('cancelled', `looking at ${this.name} was cancelled`, { name: this.name });
  }
}

import type { Socket } from 'node:net';
import { onExit } from 'signal-exit';
import { monotonicMs } from '../../adapters/monotonic-ms.js';
import { speaksOf } from '../../adapters/net/hello.js';
import { type OwnedSocket, openOwnedSocket } from '../../adapters/net/owned-socket.js';
import { RpcPeer } from '../../adapters/net/rpc-peer.js';
import type { ProtocolRange } from '../../domain/protocol-range.js';
import { type Administered, adminMethods } from './admin-methods.js';
import { announceReadiness } from './announce-readiness.js';
import { Connections } from './connections.js';
import { leaveEndedMarker } from './ended-marker.js';
import { IdleTimer } from './idle-timer.js';
import { Leases } from './leases.js';
import type { OwnPlace } from './own-place.js';
import { isBeingStarted } from './ownership.js';
import { Reloader } from './reloader.js';
import { report } from './report.js';
import { readDescriptor, startSelfCheck } from './self-check.js';
import type { ServedDaemon } from './serve-daemon.js';
import type { ServeSettings, StopReason } from './serve-options.js';
import { ServedConnection } from './served-connection.js';
import { settlesWithin } from './settles-within.js';

/** A starter that takes longer to see that we are ready is gone. */
const longestStartMs = 60_000;

/** A daemon from its first socket to its last answer. */
export class ServeRuntime implements ServedDaemon, Administered {
  readonly #settings: ServeSettings;
  readonly #place: OwnPlace;
  readonly #connections: Connections;
  readonly #idle: IdleTimer;
  readonly #leases: Leases;
  readonly #reloader: Reloader;
  #opening: Promise<void> | undefined;
  #endSelfCheck = () => {};
  #socket: OwnedSocket | undefined;
  #stopping = false;
  #readyMs = 0;
  #left = false;

  constructor(settings: ServeSettings, place: OwnPlace) {
    this.#settings = settings;
    this.#place = place;
    this.#idle = new IdleTimer(settings.idleMs, () => void this.#endIfStillIdle());
    this.#connections = new Connections((count) => {
      if (!this.#stopping) this.#idle.update(count);
    });
    this.#leases = new Leases(place.owner, () => void this.#endUnless(() => this.#leases.isHeld, 'owner-gone'));
    this.#reloader = new Reloader(() => settings.onReload?.());
  }

  get name(): string {
    return this.#place.name;
  }

  get instanceId(): string {
    return this.#place.instanceId;
  }

  get version(): string | null {
    return this.#settings.version ?? null;
  }

  get socket(): string {
    return this.#place.socket;
  }

  get phase(): 'ready' | 'stopping' {
    return this.#stopping ? 'stopping' : 'ready';
  }

  get connections(): readonly ServedConnection[] {
    return this.#connections.list();
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get speaks(): ProtocolRange | undefined {
    return this.#settings.speaks ?? undefined;
  }

  get isBusy(): boolean | undefined {
    try {
      return this.#settings.isBusy?.();
    } catch (error) {
      // Who can't tell is not to be ended over that.
      report('isBusy failed', error);
      return true;
    }
  }

  get ownerCount(): number | undefined {
    return this.#leases.ownerCount;
  }

  async open(): Promise<void> {
    // Before anybody can find the socket, so that whoever does may signal at once.
    const undo = [onExit((code) => this.#leave(code)), this.#listenToSignals()];
    try {
      await this.#leases.prepare();
      await this.#openSocket();
      if (!this.#stopping) announceReadiness(this.#place);
      this.#readyMs = monotonicMs();
    } catch (error) {
      this.#socket?.close();
      for (const undone of undo) undone();
      throw error;
    }
    if (this.#stopping) return;
    this.#endSelfCheck = startSelfCheck(this.#place, {
      onDisowned: () => this.#begin('disowned'),
      isSocketLost: () => this.#socket?.isLost() === true,
      onSocketLost: () => this.#openAgain(),
    });
    this.#idle.update(this.#connections.size);
    this.#leases.watch();
  }

  stop(): void {
    this.#begin('stop');
  }

  shutdown(): void {
    this.#begin('shutdown');
  }

  async reload(): Promise<boolean> {
    if (this.#settings.onReload === undefined) return false;
    await this.#reloader.run();
    return true;
  }

  #listenToSignals(): () => void {
    const handlers: readonly [NodeJS.Signals, () => void][] = [
      ['SIGTERM', () => this.#begin('SIGTERM')],
      ['SIGINT', () => this.#begin('SIGINT')],
      // What daemonry sends for SIGTERM on Windows. Nobody else ever does.
      ['SIGBREAK', () => this.#begin('SIGTERM')],
      // Ignored where there is nothing to reload: a terminal that closes must not end a daemon.
      ['SIGHUP', () => void this.reload().catch((error) => report('reload failed', error))],
    ];
    for (const [signal, handler] of handlers) process.on(signal, handler);
    return () => {
      for (const [signal, handler] of handlers) process.removeListener(signal, handler);
    };
  }

  async #openSocket(): Promise<void> {
    this.#opening = openOwnedSocket(this.#place.socket, (accepted) => this.#accept(accepted)).then((socket) => {
      this.#socket = socket;
    });
    await this.#opening;
  }

  /** Something removed the socket's file, a cleaner of temporary files perhaps. Who is connected stays connected. */
  async #openAgain(): Promise<void> {
    if (this.#stopping) return;
    this.#socket?.close();
    await this.#openSocket();
  }

  #accept(socket: Socket): void {
    const peer = new RpcPeer(socket, {
      onInvalid: 'answer',
      onNotificationError: (method, error) => report(`${method} failed`, error),
    });
    const connection = new ServedConnection(peer, this.#settings.speaks);
    for (const [name, method] of Object.entries(this.#settings.methods)) connection.handle(name, (params) => method(params, connection));
    for (const [name, method] of Object.entries(adminMethods(this))) peer.handle(name, method);
    peer.handle('system.lease', (params) => this.#leases.take(peer, (params as { owner?: unknown } | undefined)?.owner));
    peer.handle('system.hello', (params) => {
      connection.meet(speaksOf(params));
      return adminMethods(this)['system.hello']?.();
    });
    this.#connections.add(peer, connection);
    void this.#tellOfConnection(connection);
  }

  async #tellOfConnection(connection: ServedConnection): Promise<void> {
    try {
      await this.#settings.onConnection?.(connection);
    } catch (error) {
      report('onConnection failed', error);
    }
  }

  async #endIfStillIdle(): Promise<void> {
    if (this.isBusy || (await this.#isBeingStarted())) this.#idle.update(this.#connections.size);
    else await this.#endUnless(() => this.#connections.size > 0, 'idle');
  }

  /** First nobody finds the socket any more. Whoever found it just before is served, and the daemon stays. */
  async #endUnless(isWanted: () => boolean, reason: StopReason): Promise<void> {
    if (this.#stopping) return;
    this.#socket?.withdraw();
    await nextTurn();
    await nextTurn();
    if (!isWanted()) {
      this.#begin(reason);
      return;
    }
    try {
      if (!this.#stopping) await this.#socket?.publish();
    } catch (error) {
      report('the socket is lost', error);
    }
  }

  /** To leave before whoever started us has seen that we are ready would make a failure of the start. */
  async #isBeingStarted(): Promise<boolean> {
    if (monotonicMs() - this.#readyMs > longestStartMs) return false;
    const { descriptor, instanceId } = this.#place;
    return isBeingStarted(await readDescriptor(descriptor).catch(() => ''), instanceId);
  }

  /** Whatever else would end this daemon now changes nothing. */
  #begin(reason: StopReason): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#idle.stop();
    this.#leases.stop();
    this.#endSelfCheck();
    void this.#end(reason);
  }

  async #end(reason: StopReason): Promise<never> {
    const { onStop, onStopTimeoutMs, drainMs } = this.#settings;
    let exitCode = 0;
    try {
      await settlesWithin(async () => onStop?.(reason), onStopTimeoutMs);
    } catch (error) {
      exitCode = 1;
      report('onStop failed', error);
    }
    // A socket that is only just being opened must be closed too.
    await this.#opening?.catch(() => {});
    this.#socket?.close();
    await this.#connections.drain(drainMs);
    this.#leave(exitCode);
    process.exit(exitCode);
  }

  /** Also the last net, where this process ends in some other way than the above. */
  #leave(exitCode: number | null | undefined): void {
    if (this.#left) return;
    this.#left = true;
    this.#socket?.remove();
    if (exitCode === 0) leaveEndedMarker(this.#place);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

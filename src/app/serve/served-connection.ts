import type { Socket } from 'node:net';
import type { RequestOptions } from '../../adapters/net/request-options.js';
import type { RpcPeer } from '../../adapters/net/rpc-peer.js';
import { refuseSystemMethod } from './serve-options.js';

/** A peer that has connected to this daemon. */
export class ServedConnection {
  readonly #peer: RpcPeer;

  /** @internal */
  constructor(peer: RpcPeer) {
    this.#peer = peer;
  }

  /** The socket beneath. What is written to it must be whole JSON-RPC lines. */
  get socket(): Socket {
    return this.#peer.socket;
  }

  /** Answers a method on this connection only, before the daemon's own of that name. Throws `invalid-spec` for `system.*`. */
  handle(method: string, answer: (params: unknown) => unknown): void {
    refuseSystemMethod(method);
    this.#peer.handle(method, answer);
  }

  /** False where the connection is closed. Throws `RpcError` where the message is too long or can't be written as JSON. */
  notify(method: string, params?: unknown): boolean {
    return this.#peer.notify(method, params);
  }

  /**
   * Asks the peer. Throws `RpcError` where it answers with an error; `DaemonError` `not-serving` where the connection closes
   * or the time is over, `cancelled` where `signal` aborts.
   */
  request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown> {
    return this.#peer.request(method, params, options);
  }

  /** Calls back once, when the connection is closed. */
  onClose(listener: () => void): void {
    this.#peer.onClose(listener);
  }

  /** Takes no more requests, and closes once the answers under way are sent. */
  close(): void {
    this.#peer.finish();
  }
}

import type { Socket } from 'node:net';
import type { RequestOptions } from '../../adapters/net/request-options.js';
import { RpcError, rpcCodes } from '../../adapters/net/rpc-error.js';
import type { RpcPeer } from '../../adapters/net/rpc-peer.js';
import { agreeOn, formatProtocolRange, type ProtocolRange } from '../../domain/protocol-range.js';
import { refuseSystemMethod } from './serve-options.js';

/** A peer that has connected to this daemon. */
export class ServedConnection {
  readonly #peer: RpcPeer;
  readonly #speaks: ProtocolRange | null;
  /** `undefined`: the two sides have none in common. */
  #protocol: number | null | undefined = null;

  /** @internal */
  constructor(peer: RpcPeer, speaks: ProtocolRange | null) {
    this.#peer = peer;
    this.#speaks = speaks;
  }

  /** The version of the daemon's own protocol to be spoken with it: the newest that both know. `null` where one has not said. */
  get protocol(): number | null {
    return this.#protocol ?? null;
  }

  /** @internal The peer has said which versions it speaks. */
  meet(peerSpeaks: ProtocolRange | undefined): void {
    this.#protocol = this.#speaks && peerSpeaks ? agreeOn(this.#speaks, peerSpeaks) : null;
  }

  /** The socket beneath. What is written to it must be whole JSON-RPC lines. */
  get socket(): Socket {
    return this.#peer.socket;
  }

  /** Answers a method on this connection only, before the daemon's own of that name. Throws `invalid-spec` for `system.*`. */
  handle(method: string, answer: (params: unknown) => unknown): void {
    refuseSystemMethod(method);
    this.#peer.handle(method, (params) => {
      if (this.#protocol === undefined) throw noCommonProtocol(this.#speaks as ProtocolRange);
      return answer(params);
    });
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

function noCommonProtocol(speaks: ProtocolRange): RpcError {
  const message = `this daemon speaks version ${formatProtocolRange(speaks)} of its own protocol, and none that you do`;
  return new RpcError(rpcCodes.noCommonProtocol, message, { speaks });
}

import type { RpcPeer } from '../../adapters/net/rpc-peer.js';
import type { ServedConnection } from './served-connection.js';

/** The open connections of a daemon. */
export class Connections {
  readonly #open = new Map<RpcPeer, ServedConnection>();
  readonly #onCount: (count: number) => void;
  #onEmpty: (() => void) | undefined;

  /** `onCount` hears of every change of their number. */
  constructor(onCount: (count: number) => void) {
    this.#onCount = onCount;
  }

  get size(): number {
    return this.#open.size;
  }

  list(): readonly ServedConnection[] {
    return [...this.#open.values()];
  }

  add(peer: RpcPeer, connection: ServedConnection): void {
    this.#open.set(peer, connection);
    this.#onCount(this.#open.size);
    peer.onClose(() => {
      this.#open.delete(peer);
      this.#onCount(this.#open.size);
      if (this.#open.size === 0) this.#onEmpty?.();
    });
  }

  /** Lets answers under way finish, then closes; what is still open after `boundMs` is cut off. */
  async drain(boundMs: number): Promise<void> {
    for (const peer of this.#open.keys()) peer.finish();
    if (this.#open.size > 0) await this.#emptyOrLate(boundMs);
    for (const peer of this.#open.keys()) peer.destroy();
  }

  #emptyOrLate(boundMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, boundMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

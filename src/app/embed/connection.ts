import { monotonicMs } from '../../adapters/monotonic-ms.js';
import { connectSocket } from '../../adapters/net/connect-socket.js';
import { type Hello, parseHello, protocolVersion } from '../../adapters/net/hello.js';
import type { RequestOptions } from '../../adapters/net/request-options.js';
// With the rest, not when it is first needed: a program that runs for long may have been upgraded on disk by then.
import { RpcPeer } from '../../adapters/net/rpc-peer.js';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import { agreeOn, formatProtocolRange, type ProtocolRange } from '../../domain/protocol-range.js';
import { cancelled, unreached } from './unreached.js';

export interface OpenConnectionOptions {
  /** Whom to talk to: another instance on the same path is refused. */
  readonly instanceId?: string | undefined;
  /** For connecting and the handshake together. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Which versions of the daemon's own protocol we speak: it is told, and compared with what it speaks. */
  readonly speaks?: ProtocolRange | undefined;
}

/**
 * Connects to a daemon and learns who it is.
 *
 * Throws `DaemonError`: `not-serving` where nobody listens, answers in time, or is the instance asked for; `not-permitted`
 * with `errno`; `protocol-error` where the peer speaks something else, or another version of the protocol; `cancelled`.
 */
export async function openConnection(path: string, options: OpenConnectionOptions): Promise<Connection> {
  const { timeoutMs, signal } = options;
  const deadline = monotonicMs() + timeoutMs;
  if (signal?.aborted) throw cancelled(path);
  const reached = await connectSocket({ path }, timeoutMs, signal);
  if (signal?.aborted) {
    if (reached.kind === 'connected') reached.socket.destroy();
    throw cancelled(path);
  }
  if (reached.kind !== 'connected') throw unreached(path, reached.kind, reached.errno);
  const peer = new RpcPeer(reached.socket, { onInvalid: 'close', unrefWhenIdle: true });
  try {
    const { speaks } = options;
    const params = speaks && { speaks };
    const answer = await peer.request('system.hello', params, { timeoutMs: Math.max(0, deadline - monotonicMs()), signal });
    const hello = acceptHello(path, answer, options.instanceId);
    return new Connection(peer, hello, agree(path, hello, speaks));
  } catch (error) {
    peer.destroy();
    throw isDaemonError(error) ? error : notOurProtocol(path, 'it refuses system.hello', error);
  }
}

/** An open connection to a daemon. It keeps the program alive only while a request waits for its answer, or by `ref`. */
export class Connection {
  /** Who answers. */
  readonly hello: Hello;
  /** The version of the daemon's own protocol to be spoken: the newest that both sides know. `null` where one has not said. */
  readonly protocol: number | null;
  readonly #peer: RpcPeer;
  readonly #listeners = new Map<string, Set<(params: unknown) => void>>();

  /** @internal */
  constructor(peer: RpcPeer, hello: Hello, protocol: number | null) {
    this.#peer = peer;
    this.hello = hello;
    this.protocol = protocol;
  }

  /**
   * Asks the daemon; without `timeoutMs` for as long as the connection lives. `params` are an object or an array, as JSON-RPC has
   * them: anything else is refused with an `RpcError`, code -32600.
   *
   * Throws `RpcError` with the daemon's `code` and message where it answers with an error; `DaemonError` `not-serving`
   * where the connection closes or the time is over, `protocol-error`, `cancelled`.
   */
  request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown> {
    return this.#peer.request(method, params, options);
  }

  /** False where the connection is closed. Throws `RpcError` where the message is too long or can't be written as JSON. */
  notify(method: string, params?: unknown): boolean {
    return this.#peer.notify(method, params);
  }

  /** Listens to a notification of the daemon's. Those that came before are not kept. Returns the function that ends it. */
  onNotification(method: string, listener: (params: unknown) => void): () => void {
    let listeners = this.#listeners.get(method);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(method, listeners);
      this.#peer.handle(method, (params) => this.#tell(method, params));
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Answers a request of the daemon's. */
  handle(method: string, answer: (params: unknown) => unknown): void {
    this.#peer.handle(method, answer);
  }

  /** Calls back once, when the connection is closed. */
  onClose(listener: () => void): void {
    this.#peer.onClose(listener);
  }

  /** Keeps the program alive until `unref`: for one that only listens. */
  ref(): void {
    this.#peer.ref();
  }

  /** Takes back one `ref`. */
  unref(): void {
    this.#peer.unref();
  }

  /** Closes, once what was sent has left. Requests without an answer fail with `not-serving`. */
  close(): void {
    this.#peer.finish();
  }

  #tell(method: string, params: unknown): void {
    // Apart from the protocol: what a listener throws is the program's own failure, as of any event listener.
    for (const listener of this.#listeners.get(method) ?? []) queueMicrotask(() => listener(params));
  }
}

function acceptHello(path: string, answer: unknown, instanceId: string | undefined): Hello {
  const hello = parseHello(answer);
  if (hello === undefined) throw notOurProtocol(path, 'its answer to system.hello is not one');
  if (hello.protocol !== protocolVersion) {
    throw new DaemonError('protocol-error', `${hello.name} speaks version ${hello.protocol} of the protocol, not ${protocolVersion}`, {
      path,
      protocol: hello.protocol,
      expected: protocolVersion,
    });
  }
  if (instanceId !== undefined && hello.instanceId !== instanceId) {
    throw new DaemonError('not-serving', `another instance answers at ${path}`, {
      path,
      instanceId: hello.instanceId,
      expected: instanceId,
    });
  }
  return hello;
}

function agree(path: string, { name, version, speaks }: Hello, wanted: ProtocolRange | undefined): number | null {
  if (speaks === undefined || wanted === undefined) return null;
  const agreed = agreeOn(speaks, wanted);
  if (agreed !== undefined) return agreed;
  const older = speaks.max < wanted.min ? 'daemon' : 'program';
  const who = version === null ? name : `${name} ${version}`;
  throw new DaemonError(
    'protocol-error',
    `${who} speaks version ${formatProtocolRange(speaks)} of its own protocol, this program ${formatProtocolRange(wanted)}: the ${older} is too old`,
    { path, name, version, speaks, wanted, older },
  );
}

function notOurProtocol(path: string, reason: string, cause?: unknown): DaemonError {
  return new DaemonError(
    'protocol-error',
    `who listens at ${path} does not speak the control protocol: ${reason}`,
    { path, reason },
    cause,
  );
}

import type { Socket } from 'node:net';
import {
  createJSONRPCErrorResponse,
  createJSONRPCNotification,
  createJSONRPCRequest,
  createJSONRPCSuccessResponse,
  JSONRPCClient,
  type JSONRPCID,
  type JSONRPCRequest,
  type JSONRPCResponse,
  JSONRPCServer,
} from 'json-rpc-2.0';
import { longestDurationMs } from '../../domain/quantity.js';
import { LineSplitter, maxLineBytes } from './message-lines.js';
import { type RpcError, rpcCodes, toRpcError } from './rpc-error.js';
import { brokenProtocol, cancelled, connectionClosed, unanswered } from './rpc-failures.js';
import { decodeMessage, encodeMessage, resultOf } from './rpc-message.js';

/** Answers a request; what it returns, or resolves to, is the result. Throws `RpcError` for a code of its own. */
export type RpcMethod = (params: unknown) => unknown;

export interface RequestOptions {
  /** Without it a request waits for as long as the connection lives. Milliseconds. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RpcPeerOptions {
  /** What to do about a message that isn't one: a server says so and goes on, a client gives the peer up. */
  readonly onInvalid: 'answer' | 'close';
  /** Whether the socket keeps the program alive only while something is waited for. */
  readonly unrefWhenIdle?: boolean;
  /** Hears of a notification whose method failed, which nobody else does. */
  readonly onNotificationError?: (method: string, error: RpcError) => void;
}

/** How many requests of one peer may be under way. */
const maxAnswering = 1_024;
/** How much a peer may leave unread before it is cut off. */
const maxUnreadBytes = 64 * 1024 * 1024;
/** How long a peer may take to read what it was sent last. */
const lingerMs = 2_000;

/** One end of a connection that speaks JSON-RPC 2.0, one message a line, in both directions. */
export class RpcPeer {
  readonly socket: Socket;
  readonly #options: RpcPeerOptions;
  readonly #lines = new LineSplitter();
  readonly #server = new JSONRPCServer({ errorListener: () => {} });
  readonly #client = new JSONRPCClient((message: { id: number }) => this.#sendRequest(message));
  readonly #waiting = new Map<number, (failure: Error) => void>();
  readonly #closeListeners: (() => void)[] = [];
  #lastId = 0;
  #answering = 0;
  #references = 0;
  #finishing = false;
  #violation: string | undefined;
  #linger: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: RpcPeerOptions) {
    this.socket = socket;
    this.#options = options;
    if (options.unrefWhenIdle) socket.unref();
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.finish());
    socket.on('close', () => this.#closed());
    // What goes wrong ends the connection; 'close' follows.
    socket.on('error', () => {});
  }

  handle(method: string, answer: RpcMethod): void {
    this.#server.addMethodAdvanced(method, async (request) => this.#call(request, answer));
  }

  /**
   * Asks the peer. Throws `RpcError` where it answers with an error, and `DaemonError`: `not-serving` where the connection
   * closes or the time is over, `protocol-error` where the peer breaks the protocol, `cancelled`.
   */
  async request(method: string, params?: unknown, options: RequestOptions = {}): Promise<unknown> {
    const { timeoutMs, signal } = options;
    if (signal?.aborted) throw cancelled(method);
    const id = ++this.#lastId;
    let failure: Error | undefined;
    const fail = (error: Error) => {
      failure ??= error;
      this.#client.receive(createJSONRPCErrorResponse(id, rpcCodes.internalError, error.message));
    };
    const onAbort = () => fail(cancelled(method));
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => fail(unanswered(method, timeoutMs)), Math.min(timeoutMs, longestDurationMs));
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#waiting.set(id, fail);
    this.ref();
    try {
      const response = await this.#client.requestAdvanced(createJSONRPCRequest(id, method, params));
      if (failure) throw failure;
      return resultOf(response);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#waiting.delete(id);
      this.unref();
    }
  }

  /** False where the connection is closed. Throws `RpcError` where the message is too long or can't be written as JSON. */
  notify(method: string, params?: unknown): boolean {
    return this.#write(encodeMessage(createJSONRPCNotification(method, params)));
  }

  /** Calls back when the connection is closed, at once where it already is. */
  onClose(listener: () => void): void {
    if (this.socket.closed) queueMicrotask(listener);
    else this.#closeListeners.push(listener);
  }

  /** Takes no more requests; closes once the answers under way are sent. */
  finish(): void {
    this.#finishing = true;
    if (this.#answering > 0 || this.#linger) return;
    this.#linger = setTimeout(() => this.socket.destroy(), lingerMs).unref();
    this.socket.destroySoon();
  }

  /** Closes at once. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Keeps the program alive until `unref`; both count. */
  ref(): void {
    if (this.#references++ === 0 && this.#options.unrefWhenIdle) this.socket.ref();
  }

  unref(): void {
    if (--this.#references === 0 && this.#options.unrefWhenIdle) this.socket.unref();
  }

  #read(chunk: Buffer): void {
    if (this.#violation !== undefined) return;
    for (const line of this.#lines.push(chunk)) {
      // The message before may have brought that about.
      if (this.socket.destroyed) return;
      if (line === 'overflow') this.#refuseOverflow();
      else this.#receive(line);
    }
  }

  #receive(line: Buffer): void {
    const message = decodeMessage(line);
    switch (message.kind) {
      case 'blank':
        return;
      case 'request':
        if (!this.#finishing) void this.#answer(message.request);
        return;
      case 'response':
        this.#client.receive(message.response);
        return;
      case 'invalid':
        if (this.#options.onInvalid === 'answer') this.#sendAnswer(message.answer);
        else this.#violate((message.answer.error as { message: string }).message);
    }
  }

  async #answer(request: JSONRPCRequest): Promise<void> {
    if (this.#answering >= maxAnswering) {
      if (request.id !== undefined)
        this.#sendAnswer(createJSONRPCErrorResponse(request.id, rpcCodes.tooManyRequests, 'too many requests under way'));
      return;
    }
    this.#answering++;
    const response = await this.#server.receive(request);
    this.#answering--;
    if (response) this.#sendAnswer(response);
    if (this.#finishing) this.finish();
  }

  async #call(request: JSONRPCRequest, answer: RpcMethod): Promise<JSONRPCResponse | null> {
    try {
      const result = await answer(request.params);
      return request.id === undefined ? null : createJSONRPCSuccessResponse(request.id, result);
    } catch (thrown) {
      const error = toRpcError(thrown);
      if (request.id !== undefined) return createJSONRPCErrorResponse(request.id, error.code, error.message, error.data);
      this.#options.onNotificationError?.(request.method, error);
      return null;
    }
  }

  #sendRequest(message: { id: number }): void {
    const fail = this.#waiting.get(message.id);
    try {
      if (!this.#write(encodeMessage(message))) fail?.(connectionClosed());
    } catch (error) {
      fail?.(error as Error);
    }
  }

  #sendAnswer(response: JSONRPCResponse): void {
    let line: Buffer;
    try {
      line = encodeMessage(response);
    } catch (error) {
      line = encodeMessage(
        createJSONRPCErrorResponse(fitsLine(response.id) ? response.id : null, rpcCodes.internalError, (error as Error).message),
      );
    }
    this.#write(line);
  }

  #write(line: Buffer): boolean {
    if (!this.socket.writable) return false;
    if (this.socket.writableLength > maxUnreadBytes) {
      this.socket.destroy();
      return false;
    }
    this.ref();
    this.socket.write(line, () => this.unref());
    return true;
  }

  #refuseOverflow(): void {
    const reason = `a message has at most ${maxLineBytes} bytes`;
    if (this.#options.onInvalid === 'close') {
      this.#violate(reason);
      return;
    }
    this.#violation = reason;
    this.#sendAnswer(createJSONRPCErrorResponse(null, rpcCodes.invalidRequest, reason));
    // Reading goes on, into nothing: closed at once, the peer would fail in the middle of its write and never read why.
    this.#linger = setTimeout(() => this.socket.destroy(), lingerMs).unref();
    this.socket.end();
  }

  #violate(reason: string): void {
    this.#violation = reason;
    this.socket.destroy();
  }

  #closed(): void {
    clearTimeout(this.#linger);
    const failure = this.#violation === undefined ? connectionClosed : () => brokenProtocol(this.#violation as string);
    for (const fail of [...this.#waiting.values()]) fail(failure());
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}

/** An id is the peer's choice. One so long that only half a line is left is not sent back. */
function fitsLine(id: JSONRPCID): boolean {
  return typeof id !== 'string' || id.length < maxLineBytes / 8;
}

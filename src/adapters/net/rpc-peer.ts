import type { Socket } from 'node:net';
import { abortSignal, type Checks, checkOptions, optional } from '../../domain/option-checks.js';
import { longestDurationMs } from '../../domain/quantity.js';
import { leaveGently } from './connect-socket.js';
import { LineSplitter, maxLineBytes } from './message-lines.js';
import type { RequestOptions } from './request-options.js';
import { rpcCodes, toRpcError } from './rpc-error.js';
import { brokenProtocol, cancelled, connectionClosed, unanswered } from './rpc-failures.js';
import {
  decodeMessage,
  encodeAnswer,
  encodeMessage,
  failure,
  type RpcId,
  type RpcRequest,
  type RpcResponse,
  resultOf,
} from './rpc-message.js';
import { type NotificationErrorListener, type RpcMethod, RpcMethods } from './rpc-methods.js';

export interface RpcPeerOptions {
  /** What to do about a message that isn't one: a server says so and goes on, a client gives the peer up. */
  readonly onInvalid: 'answer' | 'close';
  /** Whether the socket keeps the program alive only while something is waited for. */
  readonly unrefWhenIdle?: boolean;
  readonly onNotificationError?: NotificationErrorListener;
}

/** How much a peer may leave unread before it is cut off. */
const maxUnreadBytes = 64 * 1024 * 1024;
/** How much before its requests have to wait: some peers say all they have to say before they read the first answer. */
const patientBytes = 4 * 1024 * 1024;
/** What a message that waits to be read takes beside its bytes: without it, short ones would take five times the bound. */
const messageOverheadBytes = 512;
/** How long a peer may take to read what it was sent last. */
const flushMs = 10_000;
/**
 * How long after the first time it is felt again whether a peer that says no more still listens; each wait is twice as long, up to
 * the longest. One that leaves ends its own side a moment before it is gone, and would otherwise be there for a second longer.
 */
const firstFeelMs = 5;
const longestFeelMs = 1_000;
/** How long a peer may go on sending a message that is too long, and how much of it. */
const overflowMs = 2_000;
const maxOverflowBytes = 16 * 1024 * 1024;

/** Longer than a timer takes is as long as one takes. */
const requestChecks: Checks<RequestOptions> = {
  timeoutMs: optional((value) => typeof value === 'number' && value >= 0, 'it is a number of milliseconds'),
  signal: abortSignal,
};

/** One end of a connection that speaks JSON-RPC 2.0, one message a line, in both directions. */
export class RpcPeer {
  readonly socket: Socket;
  readonly #options: RpcPeerOptions;
  readonly #lines = new LineSplitter();
  readonly #methods: RpcMethods;
  /** Who waits for which answer. */
  readonly #waiting = new Map<RpcId, { readonly answer: (response: RpcResponse) => void; readonly fail: (error: Error) => void }>();
  readonly #closeListeners: (() => void)[] = [];
  #lastId = 0;
  #references = 0;
  #unreadMessages = 0;
  #overflowBytes = 0;
  #holdsOff = false;
  #finishing = false;
  #violation: string | undefined;
  #linger: NodeJS.Timeout | undefined;
  #feeler: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: RpcPeerOptions) {
    this.socket = socket;
    this.#options = options;
    this.#methods = new RpcMethods(options.onNotificationError);
    if (options.unrefWhenIdle) socket.unref();
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('end', () => this.#heardAll());
    socket.on('close', () => this.#closed());
    // What goes wrong ends the connection; 'close' follows.
    socket.on('error', () => {});
  }

  handle(method: string, answer: RpcMethod): void {
    this.#methods.handle(method, answer);
  }

  /**
   * Asks the peer. Throws `RpcError` where it answers with an error, and `DaemonError`: `not-serving` where the connection
   * closes or the time is over, `protocol-error` where the peer breaks the protocol, `cancelled`.
   */
  async request(method: string, params?: unknown, options?: RequestOptions): Promise<unknown> {
    if (options !== undefined) checkOptions(options, requestChecks);
    const id = ++this.#lastId;
    // Before anybody waits: to write it may run code of whoever made the params, which may throw, or abort.
    const line = encodeMessage({ jsonrpc: '2.0', id, method, params });
    if (options?.signal?.aborted) throw cancelled(method);
    const answered = new Promise<RpcResponse>((answer, fail) => this.#waiting.set(id, { answer, fail }));
    const giveUp = options && this.#failBy(options, id, method);
    this.ref();
    try {
      if (!this.#write(line)) throw connectionClosed();
      return resultOf(await answered);
    } finally {
      giveUp?.();
      this.#waiting.delete(id);
      this.unref();
    }
  }

  /** Fails a request that takes too long, or is cancelled. Returns how that ends. */
  #failBy({ timeoutMs, signal }: RequestOptions, id: RpcId, method: string): () => void {
    const fail = (error: Error) => this.#waiting.get(id)?.fail(error);
    const onAbort = () => fail(cancelled(method));
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => fail(unanswered(method, timeoutMs)), Math.min(timeoutMs, longestDurationMs));
    signal?.addEventListener('abort', onAbort, { once: true });
    return () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
  }

  /** False where the connection is closed. Throws `RpcError` where the message is too long or can't be written as JSON. */
  notify(method: string, params?: unknown): boolean {
    return this.#write(encodeMessage({ jsonrpc: '2.0', method, params }));
  }

  /** Calls back when the connection is closed, at once where it already is. */
  onClose(listener: () => void): void {
    if (this.socket.closed) queueMicrotask(listener);
    else this.#closeListeners.push(listener);
  }

  /** Takes no more requests; closes once the answers under way are sent. */
  finish(): void {
    this.#finishing = true;
    if (this.#methods.isBusy || this.#linger) return;
    this.#linger = setTimeout(() => this.socket.destroy(), flushMs).unref();
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
    if (this.#violation !== undefined) {
      this.#overflowBytes += chunk.length;
      if (this.#overflowBytes > maxOverflowBytes) this.socket.destroy();
      return;
    }
    this.#lines.push(chunk);
    this.#readOn();
  }

  #readOn(): void {
    while (!this.#holdsOff) {
      const line = this.#lines.next();
      if (line === undefined) {
        if (this.socket.isPaused()) this.socket.resume();
        if (this.socket.readableEnded) this.#heardAll();
        return;
      }
      // The message before may have brought that about.
      if (this.socket.destroyed || this.#violation !== undefined) return;
      if (line === 'overflow') this.#refuseOverflow();
      else this.#receive(line);
    }
  }

  /**
   * The peer says no more. It may still listen for its answers, or be gone altogether, which looks the same from here: but a
   * write of nothing reaches only one that listens, and fails otherwise.
   */
  #heardAll(): void {
    // Its end is heard also while it is held off, and may then come before what it said last has been looked at.
    if (this.#holdsOff) return;
    this.finish();
    if (this.#feeler === undefined) this.#feel(firstFeelMs);
  }

  #feel(nextMs: number): void {
    if (!this.socket.writable) return;
    this.socket.write('');
    this.#feeler = setTimeout(() => this.#feel(Math.min(2 * nextMs, longestFeelMs)), nextMs).unref();
  }

  #receive(line: Buffer): void {
    const message = decodeMessage(line);
    switch (message.kind) {
      case 'blank':
        return;
      case 'request':
        if (!this.#finishing) this.#answer(message.request, line.length);
        return;
      case 'response':
        this.#waiting.get(message.response.id)?.answer(message.response);
        return;
      case 'invalid':
        if (this.#options.onInvalid === 'answer') this.#sendAnswer(message.answer);
        else this.#violate((message.answer.error as { message: string }).message);
    }
  }

  #answer(request: RpcRequest, bytes: number): void {
    const answered = () => {
      if (this.#finishing) this.finish();
    };
    const later = this.#methods.answer(request, bytes, (answer) => this.#sendAnswer(answer));
    if (later) void later.then(answered);
    else answered();
  }

  #sendAnswer(response: RpcResponse): void {
    let line: string | Buffer;
    try {
      line = encodeAnswer(response);
    } catch (error) {
      line = encodeMessage(failure(fitsLine(response.id) ? response.id : null, rpcCodes.internalError, toRpcError(error).message));
    }
    this.#write(line);
  }

  #write(line: string | Buffer): boolean {
    if (!this.socket.writable) return false;
    if (this.#unreadBytes > maxUnreadBytes) {
      this.socket.destroy();
      return false;
    }
    // Where nothing waits before it the system mostly takes it at once, and there is nothing to keep count of. Windows never does.
    if (this.socket.writableLength > 0 || process.platform === 'win32') this.#writeCounted(line);
    else if (!this.socket.write(line) || this.socket.writableLength > 0) this.#writeCounted('');
    this.#holdOff();
    return true;
  }

  #writeCounted(line: string | Buffer): void {
    this.ref();
    this.#unreadMessages++;
    this.socket.write(line, () => {
      this.#unreadMessages--;
      this.unref();
    });
  }

  get #unreadBytes(): number {
    return this.socket.writableLength + this.#unreadMessages * messageOverheadBytes;
  }

  /**
   * Who doesn't read what it is answered is not read either, until it does. Only at the end that serves: two that both
   * waited for the other to read would wait for ever.
   */
  #holdOff(): void {
    if (this.#holdsOff || this.#options.onInvalid !== 'answer' || this.#violation !== undefined) return;
    if (this.#unreadBytes <= patientBytes || !this.socket.writableNeedDrain) return;
    this.#holdsOff = true;
    this.socket.pause();
    this.socket.once('drain', () => {
      this.#holdsOff = false;
      this.#readOn();
    });
  }

  #refuseOverflow(): void {
    const reason = `a message has at most ${maxLineBytes} bytes`;
    if (this.#options.onInvalid === 'close') {
      this.#violate(reason);
      return;
    }
    this.#violation = reason;
    this.#sendAnswer(failure(null, rpcCodes.invalidRequest, reason));
    // Reading goes on, into nothing: closed at once, the peer would fail in the middle of its write and never read why.
    this.#linger = setTimeout(() => this.socket.destroy(), overflowMs).unref();
    this.socket.resume().end();
  }

  #violate(reason: string): void {
    this.#violation = reason;
    this.#failWaiting(() => brokenProtocol(reason));
    void leaveGently(this.socket);
  }

  #failWaiting(reason: () => Error): void {
    for (const { fail } of this.#waiting.values()) fail(reason());
  }

  #closed(): void {
    clearTimeout(this.#linger);
    clearTimeout(this.#feeler);
    this.#failWaiting(connectionClosed);
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}

/** An id is the peer's choice. One so long that only half a line is left is not sent back. */
function fitsLine(id: RpcId): boolean {
  return typeof id !== 'string' || id.length < maxLineBytes / 8;
}

import { type RpcError, rpcCodes, toRpcError } from './rpc-error.js';
import { failure, type RpcRequest, type RpcResponse, success } from './rpc-message.js';

/** Answers a request; what it returns, or resolves to, is the result. Throws `RpcError` for a code of its own. */
export type RpcMethod = (params: unknown) => unknown;

/** Hears of a notification whose method failed, which nobody else does. */
export type NotificationErrorListener = (method: string, error: RpcError) => void;

/** How many requests of one peer may be under way, and how much they may say: each may take twenty times its bytes, once it is parsed. */
const maxUnderWay = 1_024;
const maxUnderWayBytes = 16 * 1024 * 1024;

/** The methods that one end of a connection answers. */
export class RpcMethods {
  readonly #methods = new Map<string, RpcMethod>();
  readonly #onNotificationError: NotificationErrorListener | undefined;
  #underWay = 0;
  #underWayBytes = 0;

  constructor(onNotificationError?: NotificationErrorListener) {
    this.#onNotificationError = onNotificationError;
  }

  get isBusy(): boolean {
    return this.#underWay > 0;
  }

  handle(method: string, answer: RpcMethod): void {
    this.#methods.set(method, answer);
  }

  /**
   * Answers a request of so many bytes: at once where its method does, else what is returned resolves when it is answered. It is under
   * way until its answer was handed to `send`; a notification has none. Never throws.
   */
  answer(request: RpcRequest, bytes: number, send: (answer: RpcResponse) => void): Promise<void> | undefined {
    if (this.#underWay >= maxUnderWay || this.#underWayBytes + bytes > maxUnderWayBytes) {
      if (request.id !== undefined) send(failure(request.id, rpcCodes.tooManyRequests, 'too many requests under way'));
      return undefined;
    }
    this.#underWay++;
    this.#underWayBytes += bytes;
    const done = (answer: RpcResponse | undefined) => {
      try {
        if (answer) send(answer);
      } finally {
        this.#underWay--;
        this.#underWayBytes -= bytes;
      }
    };
    const answer = this.#call(request);
    if (answer instanceof Promise) return answer.then(done);
    done(answer);
    return undefined;
  }

  #call(request: RpcRequest): RpcResponse | undefined | Promise<RpcResponse | undefined> {
    const { id, method, params } = request;
    const answer = this.#methods.get(method);
    if (!answer) return id === undefined ? undefined : failure(id, rpcCodes.methodNotFound, 'Method not found');
    try {
      const result = answer(params);
      return isThenable(result) ? this.#await(request, result) : succeeded(request, result);
    } catch (thrown) {
      return this.#failed(request, thrown);
    }
  }

  async #await(request: RpcRequest, result: PromiseLike<unknown>): Promise<RpcResponse | undefined> {
    try {
      return succeeded(request, await result);
    } catch (thrown) {
      return this.#failed(request, thrown);
    }
  }

  #failed({ id, method }: RpcRequest, thrown: unknown): RpcResponse | undefined {
    const error = toRpcError(thrown);
    if (id !== undefined) return failure(id, error.code, error.message, error.data);
    try {
      this.#onNotificationError?.(method, error);
    } catch (failed) {
      // The listener's own failure, as of any event's, keeps no other message from being read.
      queueMicrotask(() => {
        throw failed;
      });
    }
    return undefined;
  }
}

function succeeded({ id }: RpcRequest, result: unknown): RpcResponse | undefined {
  return id === undefined ? undefined : success(id, result);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

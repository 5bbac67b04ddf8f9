import {
  createJSONRPCErrorResponse,
  createJSONRPCSuccessResponse,
  type JSONRPCRequest,
  type JSONRPCResponse,
  JSONRPCServer,
} from 'json-rpc-2.0';
import { type RpcError, rpcCodes, toRpcError } from './rpc-error.js';

/** Answers a request; what it returns, or resolves to, is the result. Throws `RpcError` for a code of its own. */
export type RpcMethod = (params: unknown) => unknown;

/** Hears of a notification whose method failed, which nobody else does. */
export type NotificationErrorListener = (method: string, error: RpcError) => void;

/** How many requests of one peer may be under way, and how much they may say: each may take twenty times its bytes, once it is parsed. */
const maxUnderWay = 1_024;
const maxUnderWayBytes = 16 * 1024 * 1024;

/** The methods that one end of a connection answers. */
export class RpcMethods {
  readonly #server = new JSONRPCServer({ errorListener: () => {} });
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
    this.#server.addMethodAdvanced(method, async (request) => this.#call(request, answer));
  }

  /** Answers a request of so many bytes. It is under way until its answer was handed to `send`; a notification has none. Never throws. */
  async answer(request: JSONRPCRequest, bytes: number, send: (answer: JSONRPCResponse) => void): Promise<void> {
    if (this.#underWay >= maxUnderWay || this.#underWayBytes + bytes > maxUnderWayBytes) {
      if (request.id !== undefined) send(createJSONRPCErrorResponse(request.id, rpcCodes.tooManyRequests, 'too many requests under way'));
      return;
    }
    this.#underWay++;
    this.#underWayBytes += bytes;
    const answer = await this.#server.receive(request);
    if (answer) send(answer);
    this.#underWay--;
    this.#underWayBytes -= bytes;
  }

  async #call(request: JSONRPCRequest, answer: RpcMethod): Promise<JSONRPCResponse | null> {
    try {
      const result = await answer(request.params);
      return request.id === undefined ? null : createJSONRPCSuccessResponse(request.id, result);
    } catch (thrown) {
      const error = toRpcError(thrown);
      if (request.id !== undefined) return createJSONRPCErrorResponse(request.id, error.code, error.message, error.data);
      this.#onNotificationError?.(request.method, error);
      return null;
    }
  }
}

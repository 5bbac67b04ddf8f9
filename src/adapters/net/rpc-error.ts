/** Answers of the protocol itself, as JSON-RPC 2.0 numbers them. */
export const rpcCodes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  /** A method that failed for a reason of its own. */
  methodFailed: -32_000,
  /** More requests under way on one connection than are taken. */
  tooManyRequests: -32_001,
  /** The two sides speak no common version of the daemon's own protocol. */
  noCommonProtocol: -32_002,
} as const;

const brand = Symbol.for('daemonry.RpcError');

/**
 * An answer that is an error. Thrown by a request whose peer answered with one; a method that throws one chooses the
 * `code` and the `data` of its answer, where any other error answers -32000 with its message.
 */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = 'RpcError';
    this.code = code;
    this.data = data;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Recognises an `RpcError` by a registered symbol, so that two installed copies in one program agree. */
export function isRpcError(value: unknown): value is RpcError {
  return typeof value === 'object' && value !== null && brand in value;
}

/** What a peer may learn of something thrown: its message, never its stack. Throws nothing, whatever was thrown. */
export function toRpcError(thrown: unknown): RpcError {
  try {
    if (isRpcError(thrown)) return thrown;
    const message = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : '';
    if (typeof message === 'string' && message !== '') return new RpcError(rpcCodes.methodFailed, message);
  } catch {
    // Some objects, such as a revoked proxy, throw when they are looked at.
  }
  return new RpcError(rpcCodes.methodFailed, 'the method failed');
}

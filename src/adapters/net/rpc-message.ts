import { isUtf8 } from 'node:buffer';
import { maxLineBytes } from './message-lines.js';
import { RpcError, rpcCodes } from './rpc-error.js';

export type RpcId = string | number | null;

/** Without an `id`, a notification: nobody waits for an answer. */
export interface RpcRequest {
  readonly jsonrpc: '2.0';
  readonly id?: RpcId;
  readonly method: string;
  readonly params?: unknown;
}

/** Carries one of the two. */
export interface RpcResponse {
  readonly jsonrpc: '2.0';
  readonly id: RpcId;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A result that is none is told as `null`. */
export function success(id: RpcId, result: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, result: result ?? null };
}

export function failure(id: RpcId, code: number, message: string, data?: unknown): RpcResponse {
  return { jsonrpc: '2.0', id, error: data === undefined || data === null ? { code, message } : { code, message, data } };
}

/** What one line turned out to be. `invalid` carries the answer that JSON-RPC prescribes. */
export type RpcMessage =
  | { readonly kind: 'blank' }
  | { readonly kind: 'request'; readonly request: RpcRequest }
  | { readonly kind: 'response'; readonly response: RpcResponse }
  | { readonly kind: 'invalid'; readonly answer: RpcResponse };

/** Parses one line, and proves its shape. */
export function decodeMessage(line: Buffer): RpcMessage {
  const text = line.toString();
  // What is not UTF-8 is decoded to this, which UTF-8 may say as well.
  if (text.includes('\uFFFD') && !isUtf8(line)) return invalid(null, rpcCodes.parseError, 'the message is not UTF-8');
  if (!beginsVisibly(text) && text.trim() === '') return { kind: 'blank' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return invalid(null, rpcCodes.parseError, 'the message is not JSON');
  }
  if (Array.isArray(value)) return invalid(null, rpcCodes.invalidRequest, 'batches are not taken');
  if (!isRecord(value)) return invalid(null, rpcCodes.invalidRequest, 'the message is not an object');
  // A response, right or wrong, is never answered: two peers would answer each other for ever.
  if (isResponse(value)) return { kind: 'response', response: value };
  if (isRequest(value)) return { kind: 'request', request: value };
  return invalid(isId(value.id) ? value.id : null, rpcCodes.invalidRequest, 'the message is not a JSON-RPC 2.0 request');
}

/** Few enough characters that it does not matter whether a queue counts these or their bytes. */
const shortText = 1_024;

/** One line. Throws `RpcError` where the message can't be written as JSON or is longer than a line may be. */
export function encodeMessage(message: object): string | Buffer {
  const text = `${toJson(message)}\n`;
  // The socket takes it as it is, sooner than any bytes could be made of it.
  if (text.length <= shortText) return text;
  const line = Buffer.from(text);
  if (line.length - 1 > maxLineBytes) {
    throw new RpcError(rpcCodes.internalError, `the message has ${line.length - 1} bytes, of ${maxLineBytes} that a line may have`);
  }
  return line;
}

/** One line, which has a result also where JSON leaves out what was to be one, as it does a function. Throws as `encodeMessage` does. */
export function encodeAnswer(response: RpcResponse): string | Buffer {
  return encodeMessage('result' in response && isLeftOut(response.result) ? { ...response, result: null } : response);
}

/** The result that a response carries. Throws `RpcError` where it carries an error. */
export function resultOf(response: RpcResponse): unknown {
  if (response.error === undefined || response.error === null) return response.result;
  const { code, message, data } = response.error as { code?: unknown; message?: unknown; data?: unknown };
  throw new RpcError(
    Number.isInteger(code) ? (code as number) : rpcCodes.internalError,
    typeof message === 'string' ? message : 'the peer answered with an error',
    data,
  );
}

/** By a printable character of ASCII: almost every message does, and can't be blank then. */
function beginsVisibly(text: string): boolean {
  const first = text.charCodeAt(0);
  return first > 0x20 && first < 0x7f;
}

function isRequest(value: Record<string, unknown>): value is Record<string, unknown> & RpcRequest {
  return (
    value.jsonrpc === '2.0' &&
    typeof value.method === 'string' &&
    (value.id === undefined || isId(value.id)) &&
    // `null` isn't in the standard, but several clients write it where there are none.
    (value.params === undefined || typeof value.params === 'object')
  );
}

function isResponse(value: Record<string, unknown>): value is Record<string, unknown> & RpcResponse {
  return value.jsonrpc === '2.0' && value.id !== undefined && (value.result !== undefined || value.error !== undefined);
}

function isId(value: unknown): value is RpcId {
  return typeof value === 'string' || typeof value === 'number' || value === null;
}

function invalid(id: RpcId, code: number, message: string): RpcMessage {
  return { kind: 'invalid', answer: failure(id, code, message) };
}

function toJson(message: object): string {
  try {
    return JSON.stringify(message);
  } catch (error) {
    const reason = error instanceof Error ? `: ${error.message.split('\n')[0]?.slice(0, 200)}` : '';
    throw new RpcError(rpcCodes.internalError, `the message can't be written as JSON${reason}`);
  }
}

function isLeftOut(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return true;
  const { toJSON } = (value ?? {}) as { toJSON?: unknown };
  return typeof toJSON === 'function' && toJson([value]) === '[null]';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

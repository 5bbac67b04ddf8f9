/**
 * The inside of a daemon: it answers on its socket, reloads, and ends well.
 *
 * @module daemonry/serve
 * @packageDocumentation
 */

export type { RequestOptions } from '../../adapters/net/request-options.js';
export { isRpcError, RpcError } from '../../adapters/net/rpc-error.js';
export { DaemonError, type DaemonErrorCode, type DaemonErrorFacts, isDaemonError } from '../../domain/daemon-error.js';
export type { ProtocolRange } from '../../domain/protocol-range.js';
export { type CallerContext, type CallerContextOptions, readCallerContext } from './caller-context.js';
export { type ServedDaemon, serveDaemon } from './serve-daemon.js';
export type { ServedMethod, ServeOptions, StopReason } from './serve-options.js';
export type { ServedConnection } from './served-connection.js';

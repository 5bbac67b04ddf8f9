export type { RequestOptions } from '../../adapters/net/request-options.js';
export { isRpcError, RpcError } from '../../adapters/net/rpc-error.js';
export { DaemonError, type DaemonErrorCode, isDaemonError } from '../../domain/daemon-error.js';
export type { DaemonState } from '../../domain/daemon-state.js';
export type { Phase } from '../../domain/descriptor.js';
export type { StopResult } from '../../domain/stop-daemon.js';
export type { Connection } from './connection.js';
export type { DaemonOptions } from './daemon-options.js';
export {
  type Cancellable,
  type ConnectOptions,
  type Daemon,
  type DaemonStatus,
  defineDaemon,
  type RunningDaemon,
} from './define-daemon.js';

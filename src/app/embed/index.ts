/**
 * Programs that have a daemon of their own: describe it, ensure it, talk to it, stop it; or supervise several.
 *
 * @module daemonry
 * @packageDocumentation
 */

export type { Hello } from '../../adapters/net/hello.js';
export type { RequestOptions } from '../../adapters/net/request-options.js';
export { isRpcError, RpcError } from '../../adapters/net/rpc-error.js';
export type { BootObstacle } from '../../domain/autostart-installer.js';
export { DaemonError, type DaemonErrorCode, type DaemonErrorFacts, isDaemonError } from '../../domain/daemon-error.js';
export type { RestartPolicy } from '../../domain/daemon-spec.js';
export type { DaemonState, StateReason } from '../../domain/daemon-state.js';
export type { Phase, RunningPhase } from '../../domain/descriptor.js';
export type { BlindReason } from '../../domain/identity.js';
export type { OnMismatch } from '../../domain/mismatch.js';
export type { ProtocolRange } from '../../domain/protocol-range.js';
export type { StopResult } from '../../domain/stop-daemon.js';
export type { BootReason, NextBoot } from '../autostart/autostart-status.js';
export type { ExportTarget } from '../autostart/export-daemon.js';
export { type DaemonVerbIo, runDaemonVerb } from '../mount/run-daemon-verb.js';
export { type CallerContext, type CallerContextOptions, callerContext } from '../serve/caller-context.js';
export {
  type Autostart,
  type AutostartDisabled,
  type AutostartEnabled,
  type AutostartPlace,
  type AutostartSubject,
  autostart,
  type DaemonAutostart,
  type EnableAutostartOptions,
} from './autostart.js';
export type { Connection } from './connection.js';
export { createSupervisor, type EmbeddedSupervisor, type SupervisedOptions, type SupervisorOptions } from './create-supervisor.js';
export type { Cancellable, ConnectOptions, Daemon, FollowOptions, LogOptions, RawConnectOptions } from './daemon.js';
export type { DaemonOptions, HealthOptions } from './daemon-options.js';
export { defineDaemon } from './define-daemon.js';
export type { DaemonStatus, RunningDaemon } from './running-daemon.js';

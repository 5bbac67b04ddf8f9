import type { Socket } from 'node:net';
import type { StopResult } from '../../domain/stop-daemon.js';
import type { Connection } from './connection.js';
import type { DaemonStatus, RunningDaemon } from './running-daemon.js';

/** A call that can be given up. */
export interface Cancellable {
  /** Aborting it fails the call with `cancelled`; a daemon that is being started is ended again. */
  readonly signal?: AbortSignal | undefined;
}

/** How a daemon is reached. */
export interface ConnectOptions extends Cancellable {
  /** How long the daemon may take to answer, once it runs. Milliseconds; default: its `readyTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** How a daemon is reached that speaks a protocol of its own. */
export interface RawConnectOptions extends ConnectOptions {
  /** The socket itself, for a daemon that speaks a protocol of its own there. */
  readonly raw: true;
  /**
   * What is to be said first. Where the connection ends before the first byte of the answer, as that of a daemon may that is just
   * leaving, it is said once more on a new one; so it must be something that may be said twice. Without it, the connection alone counts.
   */
  readonly opening?: string | Uint8Array | undefined;
}

/** Which lines of a log. */
export interface LogOptions extends Cancellable {
  /** How many lines, the last ones. Default 10, or all that were written `since`. */
  readonly lines?: number | undefined;
  /** Leaves out what was written before, as exactly as somebody looked at the log while it was written; else by whole files. */
  readonly since?: Date | undefined;
}

/** The lines of a log, and those that come. */
export interface FollowOptions extends LogOptions {
  /** Goes on with each line that comes, over rotation and restart, until the loop is left or `signal` aborts, which ends it. */
  readonly follow: true;
}

/**
 * A daemon of the embedding program's own. Nothing here prints, exits the process, or keeps it alive. Expected ends are
 * return values; failures throw `DaemonError` with a `code`.
 */
export interface Daemon {
  readonly name: string;
  /**
   * Starts it unless it runs, by whatever definition: `ensure` looks at that. Three ends of a start: it is ready (`started`); it is not ready in time, and goes on where `onTimeout` is
   * `keep` (`starting`); or it has ended, and the error tells how.
   *
   * Throws `ended-before-ready` with `exitCode`, `signal` and `logTail`, `ready-timeout` with `logTail`, `command-not-found`,
   * `unwritable`, …
   */
  start(options?: Cancellable & { readonly force?: boolean }): Promise<RunningDaemon>;
  /**
   * As `start`, and replaces an instance of an older version, or of another definition of the same version: see `onMismatch`. One
   * winner among any number of callers. Throws what `start` and `stop` throw, and `version-mismatch`.
   */
  ensure(options?: Cancellable): Promise<RunningDaemon>;
  /** Ends it, all of it. Stopping what does not run is a success. Throws `unknown-daemon`, `not-permitted`, `stop-timeout`. */
  stop(options?: Cancellable & { readonly graceMs?: number }): Promise<StopResult>;
  /**
   * Stops it, and starts it by these options, whatever it ran by before. Throws what `start` and `stop` throw: before anything is
   * stopped, where the command can't be run or no record can be written; else `facts.stopped` is the pid of the one that was stopped,
   * and nothing runs.
   */
  restart(options?: Cancellable & { readonly graceMs?: number }): Promise<RunningDaemon>;
  /** How it is. Starts, writes and locks nothing. */
  status(options?: Cancellable): Promise<DaemonStatus>;
  /**
   * Ensures it, and returns a connection to it after the handshake; or its bare socket, which keeps the program alive only after
   * `ref()`. A daemon that just ends, as an idle one may, is started once more.
   *
   * Throws `not-serving` where it does not listen in time, `protocol-error` where it speaks none of our versions, and what `ensure`
   * throws.
   */
  connect(options: RawConnectOptions): Promise<Socket>;
  /** The same, with the handshake done: JSON-RPC in both directions. */
  connect(options?: ConnectOptions): Promise<Connection>;
  /** The last lines of its log, oldest first, whether it runs or not. */
  logs(options: FollowOptions): AsyncIterable<string>;
  /** The same, as they are now. Default: the last 10. */
  logs(options?: LogOptions): Promise<readonly string[]>;
}

import { readOwnPlace } from './own-place.js';
import { readServeOptions, type ServeOptions } from './serve-options.js';
import { ServeRuntime } from './serve-runtime.js';
import type { ServedConnection } from './served-connection.js';

/** This process, as a daemon that is served. */
export interface ServedDaemon {
  readonly name: string;
  readonly instanceId: string;
  readonly version: string | null;
  /** The path of the Unix socket or the name of the pipe. */
  readonly socket: string;
  /** Who is connected now. */
  readonly connections: readonly ServedConnection[];
  /** Ends this daemon as SIGTERM would: returns at once, and the process exits when it is done. */
  stop(): void;
}

/**
 * Makes this process a daemon that answers the control protocol, ends cleanly and leaves nothing behind. Resolves once it
 * listens, and has said so where its starter waits for that.
 *
 * Throws `DaemonError`: `not-a-daemon` outside a daemon, `invalid-spec` for an option that can't be meant,
 * `socket-unusable` where somebody else listens at a pinned path, or nobody can, `unwritable` where the readiness can't be
 * announced.
 *
 * @example
 * const daemon = await serveDaemon({
 *   version: '2.1.0',
 *   methods: { 'jobs.count': () => jobs.size },
 *   onStop: () => jobs.flush(),
 *   idle: '30m',
 * });
 */
export async function serveDaemon(options: ServeOptions = {}): Promise<ServedDaemon> {
  const settings = readServeOptions(options);
  const runtime = new ServeRuntime(settings, readOwnPlace(process.env));
  await runtime.open();
  return runtime;
}

/**
 * Every way in which this project fails, one code per remedy. Expected ends (already running, already stopped) are
 * return values and have no code.
 */
export type DaemonErrorCode =
  /** A name that can't be a folder of its own everywhere. */
  | 'invalid-name'
  /** A spec, or one of its values, that can't be meant. */
  | 'invalid-spec'
  /** A project file with errors: `errors` has all of them, with line and column. */
  | 'invalid-project'
  /** A daemon of the same name runs that this project file did not start. */
  | 'other-project'
  /** A start without a command, and none remembered. */
  | 'no-remembered-spec'
  | 'command-not-found'
  | 'not-executable'
  /** The system refuses: another user's process or file. */
  | 'not-permitted'
  /** The home, or a file in it, could be written or redirected by somebody else. */
  | 'unsafe-home'
  /** Disk full, read-only, or another reason for which a file of ours can't be written. */
  | 'unwritable'
  /** A record that can't be judged from here: another host, container or newer version. */
  | 'unknown-daemon'
  | 'not-found'
  /** Something that only a running daemon can do. */
  | 'not-running'
  /** It would end where it was asked to reload. */
  | 'not-reloadable'
  /** It was asked to reload, and failed. */
  | 'reload-failed'
  /** `run` of a daemon that already runs: the one verb that can't share it. */
  | 'already-running'
  | 'ended-before-ready'
  /** One that others wait for to end well has ended otherwise. */
  | 'ended-badly'
  | 'ready-timeout'
  | 'lock-timeout'
  | 'stop-timeout'
  | 'wait-timeout'
  /** It runs as another version, or by another definition, and is not to be replaced. */
  | 'version-mismatch'
  /** The daemon runs, but nobody answers the control protocol on its socket. */
  | 'not-serving'
  /** The supervisor runs, and does not answer: suspended, or busy beyond measure. */
  | 'supervisor-hangs'
  /** A peer that answers something else than the control protocol. */
  | 'protocol-error'
  | 'socket-unusable'
  /** `serveDaemon` outside a daemon. */
  | 'not-a-daemon'
  /** There is no service manager here, or it can't be asked from here. */
  | 'no-service-manager'
  /** The service manager refused, or could not bring up what it was to start. */
  | 'autostart-failed'
  /** The system lacks what a proof needs, such as `/proc`. */
  | 'unsupported'
  | 'cancelled';

/** What a failure is about: `path`, `errno`, `pid`, `exitCode`, `logTail` and so on, as its code says. */
export type DaemonErrorFacts = Readonly<Record<string, unknown>>;

const brand = Symbol.for('daemonry.DaemonError');

/** A failure: a code from a closed set, the facts, and the cause. The sentence for people is made from these elsewhere. */
export class DaemonError extends Error {
  readonly code: DaemonErrorCode;
  readonly facts: DaemonErrorFacts;

  constructor(code: DaemonErrorCode, message: string, facts: DaemonErrorFacts = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DaemonError';
    this.code = code;
    this.facts = facts;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** Recognises a `DaemonError` by a registered symbol, so that two installed copies in one program agree. */
export function isDaemonError(value: unknown): value is DaemonError {
  return typeof value === 'object' && value !== null && brand in value;
}

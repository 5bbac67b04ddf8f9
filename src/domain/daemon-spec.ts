import { DaemonError } from './daemon-error.js';
import type { HealthCheck } from './health-check.js';
import type { ReadyCondition } from './ready-condition.js';

/** When a supervisor starts a daemon again that has ended by itself. */
export type RestartPolicy = 'never' | 'on-failure' | 'always';

/** How to run a daemon. Remembered in `spec.json`, so that a later `start` or `restart` needs no more than the name. */
export interface DaemonSpec {
  /** The program, then its arguments: never empty. */
  readonly command: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  /** Given by the user as `--env`: the only environment values that are ever written to disk. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute paths, read anew at each start. */
  readonly envFiles: readonly string[];
  /** Names taken from the starter's environment at each start: what `cleanEnv` leaves of it. */
  readonly passEnv: readonly string[];
  readonly cleanEnv: boolean;
  readonly ready: ReadyCondition;
  readonly readyTimeoutMs: number;
  readonly onTimeout: 'stop' | 'keep';
  readonly stopSignal: string;
  readonly graceMs: number;
  /** A socket path pinned by the user; `null` gives each instance one of its own. */
  readonly socket: string | null;
  /** A log file of the user's own; `null` is `daemon.log` beside the descriptor. */
  readonly log: string | null;
  readonly logMaxBytes: number;
  readonly logKeep: number;
  readonly restart: RestartPolicy;
  /** Before the second restart in a row, doubled for each further one; the first comes at once. 0: every one comes at once. */
  readonly restartDelayMs: number;
  readonly restartMaxDelayMs: number;
  /** So many restarts within the window are a crash loop, which is broken. 0: never. */
  readonly restartLimit: number;
  readonly restartWindowMs: number;
  /** After so long a run the next restart is a first one again. */
  readonly stableMs: number;
  /** Exit codes that are no failure. */
  readonly successCodes: readonly number[];
  readonly health: HealthCheck | null;
  readonly version: string | null;
  /** The project file that it comes from, as an absolute path. */
  readonly project: string | null;
  /** Of the program that defines it: a hash of what makes another daemon of it. Who starts one by hand gives none. */
  readonly fingerprint?: string | undefined;
  /** Fingerprints of the same version in whose place it was started, while it is the one that runs. */
  readonly supersedes?: readonly string[] | undefined;
}

export const specDefaults = {
  env: {},
  envFiles: [],
  passEnv: [],
  cleanEnv: false,
  ready: { kind: 'exec' },
  readyTimeoutMs: 15_000,
  onTimeout: 'stop',
  stopSignal: 'SIGTERM',
  graceMs: 10_000,
  socket: null,
  log: null,
  logMaxBytes: 10 * 1024 ** 2,
  logKeep: 5,
  restart: 'never',
  restartDelayMs: 100,
  restartMaxDelayMs: 30_000,
  restartLimit: 10,
  restartWindowMs: 60_000,
  stableMs: 10_000,
  successCodes: [0],
  health: null,
  version: null,
  project: null,
} as const satisfies Omit<DaemonSpec, 'command' | 'cwd'>;

/** The names of the fields in which two specs differ, for a warning: a running daemon keeps the one it was started with. */
export function differingFields(a: DaemonSpec, b: DaemonSpec): readonly (keyof DaemonSpec)[] {
  const fields = ['command', 'cwd', ...Object.keys(specDefaults)] as (keyof DaemonSpec)[];
  return fields.filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]));
}

/** Throws `invalid-spec` for a command that is none. What it says is not repeated: an argument may be secret. */
export function checkCommand({ command }: DaemonSpec): void {
  const position = command.findIndex((part) => part.includes('\0'));
  if (command[0] && position < 0) return;
  const what = position < 0 ? 'it names no program' : `there is a zero byte in command[${position}]`;
  throw new DaemonError('invalid-spec', `invalid command: ${what}`, { option: 'command', ...(position < 0 ? {} : { position }) });
}

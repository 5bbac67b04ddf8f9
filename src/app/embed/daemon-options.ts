import { parse, resolve } from 'node:path';
import { fitsSocketPath, isSocketPlace } from '../../adapters/files/home.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { type DaemonSpec, type RestartPolicy, specDefaults } from '../../domain/daemon-spec.js';
import { type HealthCheck, type HealthProbe, healthDefaults, parseHealthProbe } from '../../domain/health-check.js';
import type { OnMismatch } from '../../domain/mismatch.js';
import { invalidOption } from '../../domain/option-checks.js';
import type { ProtocolRange } from '../../domain/protocol-range.js';
import { parseReadyCondition, type ReadyCondition } from '../../domain/ready-condition.js';
import { restartDelays } from '../../domain/restart-policy.js';
import { checkDaemonOptions } from './daemon-option-checks.js';
import { fingerprintOf } from './fingerprint.js';

/** How an embedding program describes its daemon. Durations in milliseconds, sizes in bytes. */
export interface DaemonOptions {
  /** 1 to 64 of `A-Z a-z 0-9 . _ -`, beginning with a letter or digit. */
  readonly name: string;
  /** A program in `PATH`, or a path. Node itself is `process.execPath`. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /**
   * Its working folder; the caller's own unless given. Relative paths count from there. `null` is the root folder, which nobody
   * removes: best for a daemon that callers in many folders share. Give absolute paths in `args` then.
   */
  readonly cwd?: string | null | undefined;
  /**
   * Variables for it besides the caller's environment. They are remembered on disk: no secrets here. Or which of the caller's own it
   * gets: `inherit`, all of them, as it does by default; or a list of names besides `PATH` and `HOME`, as by `cleanEnv` and `passEnv`.
   */
  readonly env?: Readonly<Record<string, string>> | 'inherit' | readonly string[] | undefined;
  /** Files of variables, read anew at each start. */
  readonly envFiles?: readonly string[] | undefined;
  /** Names of variables to pass on where `cleanEnv` drops the rest. */
  readonly passEnv?: readonly string[] | undefined;
  /** Pass on `PATH`, `HOME` and what is named, not the whole environment. */
  readonly cleanEnv?: boolean | undefined;
  /** `exec`, `socket`, `port:N`, `http:URL`, `log:REGEX` or `notify`. Default `exec`. */
  readonly ready?: string | undefined;
  /** Default 15 000. */
  readonly readyTimeoutMs?: number | undefined;
  /** What happens to a daemon that is not ready in time. Default `stop`. */
  readonly onTimeout?: 'stop' | 'keep' | undefined;
  /** Default `SIGTERM`. */
  readonly stopSignal?: string | undefined;
  /** How long it may take to end before it is killed. Default 10 000. */
  readonly graceMs?: number | undefined;
  /** A socket path of your own; each instance has one of its own otherwise. */
  readonly socket?: string | undefined;
  /** A log file of your own. */
  readonly log?: string | undefined;
  /** Default 10 MiB. */
  readonly logMaxBytes?: number | undefined;
  /** How many rotated logs are kept. Default 5. */
  readonly logKeep?: number | undefined;
  /** Whether a supervisor starts it again when it ends by itself. Default `never`: nothing is resident then. */
  readonly restart?: RestartPolicy | undefined;
  /** Before the second restart in a row, doubled for each further one. 0: no delay at all. Default 100. */
  readonly restartDelayMs?: number | undefined;
  /** The longest such delay: not below `restartDelayMs`. Default 30 000, or `restartDelayMs` where that is longer. */
  readonly restartMaxDelayMs?: number | undefined;
  /** So many restarts within `restartWindowMs` end in phase `failed`. 0: never. Default 10. */
  readonly restartLimit?: number | undefined;
  /** Default 60 000. */
  readonly restartWindowMs?: number | undefined;
  /** After so long a run the next restart comes at once again. Default 10 000. */
  readonly stableMs?: number | undefined;
  /** Exit codes that are no failure. Default `[0]`. */
  readonly successCodes?: readonly number[] | undefined;
  /** How a supervisor finds out that it is well. Without `restart` nobody asks. */
  readonly health?: HealthOptions | undefined;
  /** The daemon's own version. `ensure` replaces an older one by it, never a newer. */
  readonly version?: string | undefined;
  /**
   * What `ensure` and `connect` do where another version runs, or one of the same version that is defined otherwise:
   *
   * - `replace-if-newer`, the default: it is replaced where it is older, or defined otherwise. Never a newer one, never one that has
   *   replaced this very definition, and none whose version is in no order to this one: two installed copies never take turns.
   * - `replace-if-newer-and-idle`: the same, as long as nobody is connected and its `isBusy` says no. One that listens to nobody counts
   *   as idle, one that does not answer does not. What is not replaced is used.
   * - `replace`: in any case, also by an older version. For a program that has the name for itself.
   * - `use`: it is used as it is.
   * - `fail`: the call throws `version-mismatch`.
   *
   * Defined otherwise is what differs in `command`, `args`, `env`, `envFiles`, `passEnv`, `cleanEnv`, `socket`, `log`, `restart`,
   * `ownedBy`, or in a `cwd` that is given. The files of `envFiles` are not looked into.
   */
  readonly onMismatch?: OnMismatch | undefined;
  /**
   * Which versions of the daemon's own protocol this program speaks: a whole number, or a range. `connect` tells the daemon, which has
   * an option of the same name, and throws `protocol-error` where they have none in common.
   */
  readonly protocol?: number | ProtocolRange | undefined;
  /**
   * For whom it is there, where it is to leave with him: `process`, every process that has started or ensured it by these options;
   * `{ pid }`, another process, such as the editor that this one works for; `connection`, whoever holds a connection of `connect`. It
   * ends within seconds after the last of them is gone, however that came about. Processes are told by their identity, not their pid.
   *
   * Only a daemon on `serveDaemon` can: of another command the start fails with `unsupported`. Whoever finds one that is to stay
   * uses it as it is. Not with `restart`, whose daemons belong to their supervisor.
   */
  readonly ownedBy?: 'process' | 'connection' | { readonly pid: number } | undefined;
  /** Where the daemons are kept; `DAEMONRY_HOME` or the platform's usual place unless given. */
  readonly home?: string | undefined;
  /** A descriptor path of your own. Its other files stand beside it. */
  readonly descriptor?: string | undefined;
}

/** What a supervisor asks of a daemon that runs, and when it counts as unwell. Durations in milliseconds. */
export interface HealthOptions {
  /** `http:URL`, `port:N`, `command:COMMAND` or `ping`. */
  readonly probe: string;
  /** Default 10 000. */
  readonly intervalMs?: number | undefined;
  /** Default 2 000. */
  readonly timeoutMs?: number | undefined;
  /** How many failures in a row make it unhealthy. Default 3. */
  readonly threshold?: number | undefined;
  /** How long after it got ready failures count for nothing. Default 5 000. */
  readonly startGraceMs?: number | undefined;
}

/** The spec that the options describe. Throws `invalid-name`, or `invalid-spec` naming the option. */
export function specFromOptions(options: DaemonOptions): DaemonSpec {
  checkDaemonOptions(options);
  const spec = plainSpecFromOptions(options);
  return { ...spec, fingerprint: fingerprintOf(options, spec) };
}

function plainSpecFromOptions(options: DaemonOptions): DaemonSpec {
  const cwd = workingFolder(options.cwd);
  const { ready, onTimeout, stopSignal, log, logMaxBytes, logKeep, restart, restartLimit, successCodes, version } = options;
  return {
    command: [options.command, ...(options.args ?? [])],
    cwd,
    ...environment(options),
    envFiles: (options.envFiles ?? []).map((file) => resolve(cwd, file)),
    ready: ready === undefined ? specDefaults.ready : (parseReadyCondition(ready) as ReadyCondition),
    readyTimeoutMs: Math.round(options.readyTimeoutMs ?? specDefaults.readyTimeoutMs),
    onTimeout: onTimeout ?? specDefaults.onTimeout,
    stopSignal: stopSignal ?? specDefaults.stopSignal,
    graceMs: Math.round(options.graceMs ?? specDefaults.graceMs),
    socket: socketPath(options.socket, cwd),
    log: log === undefined ? null : resolve(cwd, log),
    logMaxBytes: logMaxBytes ?? specDefaults.logMaxBytes,
    logKeep: logKeep ?? specDefaults.logKeep,
    restart: restart ?? specDefaults.restart,
    ...delays(options),
    restartLimit: restartLimit ?? specDefaults.restartLimit,
    restartWindowMs: Math.round(options.restartWindowMs ?? specDefaults.restartWindowMs),
    stableMs: Math.round(options.stableMs ?? specDefaults.stableMs),
    successCodes: successCodes ?? specDefaults.successCodes,
    health: options.health === undefined ? null : health(options.health),
    version: version ?? null,
    project: null,
  };
}

function environment({ env, passEnv = [], cleanEnv = false }: DaemonOptions): Pick<DaemonSpec, 'env' | 'passEnv' | 'cleanEnv'> {
  if (env === undefined || env === 'inherit') return { env: specDefaults.env, passEnv, cleanEnv };
  if (Array.isArray(env)) return { env: specDefaults.env, passEnv: [...passEnv, ...env], cleanEnv: true };
  return { env: env as Readonly<Record<string, string>>, passEnv, cleanEnv };
}

/** A program's own folder may have been removed under it. */
function workingFolder(cwd: string | null = '.'): string {
  try {
    return resolve(cwd ?? parse(process.execPath).root);
  } catch (error) {
    throw new DaemonError('invalid-spec', 'the working folder does not exist any more', { option: 'cwd' }, error);
  }
}

function delays({ restartDelayMs, restartMaxDelayMs }: DaemonOptions) {
  const rounded = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms));
  const delays = restartDelays(rounded(restartDelayMs), rounded(restartMaxDelayMs));
  if (delays) return delays;
  throw invalidOption('restartMaxDelayMs', restartMaxDelayMs, `it is at least restartDelayMs, which is ${restartDelayMs}`);
}

function health({ probe, intervalMs, timeoutMs, threshold, startGraceMs }: HealthOptions): HealthCheck {
  return {
    probe: parseHealthProbe(probe) as HealthProbe,
    intervalMs: Math.round(intervalMs ?? healthDefaults.intervalMs),
    timeoutMs: Math.round(timeoutMs ?? healthDefaults.timeoutMs),
    threshold: threshold ?? healthDefaults.threshold,
    startGraceMs: Math.round(startGraceMs ?? healthDefaults.startGraceMs),
  };
}

function socketPath(path: string | undefined, cwd: string): string | null {
  if (path === undefined) return null;
  const absolute = resolve(cwd, path);
  if (!isSocketPlace(absolute, process.platform))
    throw invalidOption('socket', absolute, 'on Windows it is a named pipe, as in \\\\.\\pipe\\acme');
  if (fitsSocketPath(absolute, process.platform)) return absolute;
  throw invalidOption('socket', absolute, 'the path is too long for a socket');
}

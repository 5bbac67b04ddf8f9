import { constants } from 'node:os';
import { resolve } from 'node:path';
import { fitsSocketPath, isSocketPlace } from '../../adapters/files/home.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { type DaemonSpec, type RestartPolicy, specDefaults } from '../../domain/daemon-spec.js';
import { type HealthCheck, healthDefaults, parseHealthProbe } from '../../domain/health-check.js';
import { longestDurationMs } from '../../domain/quantity.js';
import { parseReadyCondition, type ReadyCondition } from '../../domain/ready-condition.js';
import { restartDelays } from '../../domain/restart-policy.js';

/** How an embedding program describes its daemon. Durations in milliseconds, sizes in bytes. */
export interface DaemonOptions {
  /** 1 to 64 of `A-Z a-z 0-9 . _ -`, beginning with a letter or digit. */
  readonly name: string;
  /** A program in `PATH`, or a path. Node itself is `process.execPath`. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** Its working folder; the caller's own unless given. Relative paths count from there. */
  readonly cwd?: string | undefined;
  /** Variables for it besides the caller's environment. They are remembered on disk: no secrets here. */
  readonly env?: Readonly<Record<string, string>> | undefined;
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
  /** Where the daemons are kept; `DAEMONRY_HOME` or the platform's usual place unless given. */
  readonly home?: string | undefined;
  /** A descriptor path of your own. Its other files stand beside it. */
  readonly descriptor?: string | undefined;
}

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

/** The spec that the options describe. Throws `invalid-spec` naming the option. */
export function specFromOptions(options: DaemonOptions): DaemonSpec {
  const cwd = workingFolder(options.cwd);
  if (typeof options.command !== 'string' || options.command === '') throw invalid('command', options.command, 'it is the program to run');
  for (const list of ['args', 'envFiles', 'passEnv'] as const) {
    const value: unknown = options[list] ?? [];
    if (!Array.isArray(value) || !value.every(isText)) throw invalid(list, value, 'it is a list of strings');
  }
  if (!Object.values(options.env ?? {}).every(isText)) throw invalid('env', options.env, 'its values are strings');
  return {
    command: [options.command, ...(options.args ?? [])],
    cwd,
    env: options.env ?? specDefaults.env,
    envFiles: (options.envFiles ?? []).map((file) => resolve(cwd, file)),
    passEnv: options.passEnv ?? specDefaults.passEnv,
    cleanEnv: options.cleanEnv ?? specDefaults.cleanEnv,
    ready: readiness(options.ready),
    readyTimeoutMs: milliseconds('readyTimeoutMs', options.readyTimeoutMs, specDefaults.readyTimeoutMs),
    onTimeout: onTimeout(options.onTimeout),
    stopSignal: signalName(options.stopSignal),
    graceMs: milliseconds('graceMs', options.graceMs, specDefaults.graceMs),
    socket: socketPath(options.socket, cwd),
    log: options.log === undefined ? null : resolve(cwd, options.log),
    logMaxBytes: whole('logMaxBytes', options.logMaxBytes, 1, specDefaults.logMaxBytes),
    logKeep: whole('logKeep', options.logKeep, 0, specDefaults.logKeep, 1_000),
    restart: restart(options.restart),
    ...delays(options),
    restartLimit: whole('restartLimit', options.restartLimit, 0, specDefaults.restartLimit, 1_000),
    restartWindowMs: milliseconds('restartWindowMs', options.restartWindowMs, specDefaults.restartWindowMs),
    stableMs: milliseconds('stableMs', options.stableMs, specDefaults.stableMs),
    successCodes: successCodes(options.successCodes),
    health: options.health === undefined ? null : health(options.health),
    version: version(options.version),
    project: null,
  };
}

/** A program's own folder may have been removed under it. */
function workingFolder(cwd = '.'): string {
  try {
    return resolve(cwd);
  } catch (error) {
    throw new DaemonError('invalid-spec', 'the working folder does not exist any more', { option: 'cwd' }, error);
  }
}

/** A duration given to a method. Throws `invalid-spec`. */
export function milliseconds(option: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isFinite(value) && value >= 0 && value <= longestDurationMs) return Math.round(value);
  throw invalid(option, value, `it is a number of milliseconds up to ${longestDurationMs}`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function version(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (isText(value) && value !== '') return value;
  throw invalid('version', value, 'it is a string, such as 2.1.0');
}

function restart(value: RestartPolicy | undefined): RestartPolicy {
  if (value === undefined) return specDefaults.restart;
  if (['never', 'on-failure', 'always'].includes(value)) return value;
  throw invalid('restart', value, 'it is never, on-failure or always');
}

function delays({ restartDelayMs, restartMaxDelayMs }: DaemonOptions) {
  const given = (option: string, value: number | undefined) => (value === undefined ? undefined : milliseconds(option, value, 0));
  const delays = restartDelays(given('restartDelayMs', restartDelayMs), given('restartMaxDelayMs', restartMaxDelayMs));
  if (delays) return delays;
  throw invalid('restartMaxDelayMs', restartMaxDelayMs, `it is at least restartDelayMs, which is ${restartDelayMs}`);
}

function successCodes(value: readonly number[] = specDefaults.successCodes): readonly number[] {
  if (Array.isArray(value) && value.every((code) => Number.isInteger(code) && code >= 0 && code <= 255)) return value;
  throw invalid('successCodes', value, 'it is a list of exit codes from 0 to 255');
}

function health(options: HealthOptions): HealthCheck {
  const probe = parseHealthProbe(String(options.probe));
  if (typeof probe === 'string') throw invalid('health', options.probe, probe);
  if (probe.kind === 'http' && !URL.canParse(probe.url)) throw invalid('health', options.probe, 'http takes a whole address');
  return {
    probe,
    intervalMs: atLeast(1, 'health.intervalMs', options.intervalMs, healthDefaults.intervalMs),
    timeoutMs: atLeast(1, 'health.timeoutMs', options.timeoutMs, healthDefaults.timeoutMs),
    threshold: whole('health.threshold', options.threshold, 1, healthDefaults.threshold),
    startGraceMs: milliseconds('health.startGraceMs', options.startGraceMs, healthDefaults.startGraceMs),
  };
}

function atLeast(least: number, option: string, value: number | undefined, fallback: number): number {
  const ms = milliseconds(option, value, fallback);
  if (ms >= least) return ms;
  throw invalid(option, value, `it is at least ${least}`);
}

function onTimeout(value: DaemonOptions['onTimeout']): DaemonSpec['onTimeout'] {
  if (value === undefined || value === 'stop' || value === 'keep') return value ?? specDefaults.onTimeout;
  throw invalid('onTimeout', value, 'it is stop or keep');
}

function signalName(name: string | undefined): string {
  if (name === undefined || Object.hasOwn(constants.signals, name)) return name ?? specDefaults.stopSignal;
  throw invalid('stopSignal', name, 'it is the name of a signal, such as SIGINT');
}

function readiness(text: string | undefined): ReadyCondition {
  if (text === undefined) return specDefaults.ready;
  const condition = parseReadyCondition(text);
  if (typeof condition === 'string') throw invalid('ready', text, condition);
  if (condition.kind === 'http' && !URL.canParse(condition.url)) throw invalid('ready', text, 'http takes a whole address');
  return condition;
}

function socketPath(path: string | undefined, cwd: string): string | null {
  if (path === undefined) return null;
  const absolute = resolve(cwd, path);
  if (!isSocketPlace(absolute, process.platform))
    throw invalid('socket', absolute, 'on Windows it is a named pipe, as in \\\\.\\pipe\\acme');
  if (fitsSocketPath(absolute, process.platform)) return absolute;
  throw invalid('socket', absolute, 'the path is too long for a socket');
}

function whole(option: string, value: number | undefined, least: number, fallback: number, most = Number.MAX_SAFE_INTEGER): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw invalid(option, value, `it is a whole number from ${least} on`);
}

function invalid(option: string, value: unknown, allowed: string): DaemonError {
  return new DaemonError('invalid-spec', `invalid ${option} ${JSON.stringify(value)}: ${allowed}`, { option, value, allowed });
}

import { constants } from 'node:os';
import { types } from 'node:util';
import { checkedName } from '../../domain/daemon-name.js';
import { healthRule, parseHealthProbe } from '../../domain/health-check.js';
import { onMismatchValues } from '../../domain/mismatch.js';
import {
  abortSignal,
  type Check,
  type Checks,
  checkOptions,
  flag,
  invalidOption,
  invalidSecret,
  isAnyList,
  isListOf,
  isObject,
  isSomeText,
  isText,
  milliseconds,
  oneOf,
  optional,
  path,
  required,
  whole,
} from '../../domain/option-checks.js';
import { parseProtocolRange, protocolRangeRule } from '../../domain/protocol-range.js';
import { parseReadyCondition, readyRule } from '../../domain/ready-condition.js';
import { isVariableName } from '../../domain/variable-name.js';
import type { Cancellable, FollowOptions, RawConnectOptions } from './daemon.js';
import type { DaemonOptions, HealthOptions } from './daemon-options.js';

const argsRule = 'it is a list of strings';
const environmentRule = "its values are strings; or it is 'inherit', or a list of names";

const daemonChecks: Checks<Omit<DaemonOptions, 'name'>> = {
  command: required(isSomeText, 'it is the program to run'),
  args: optional(isListOf(isText), argsRule),
  cwd: optional((value) => value === null || isSomeText(value), 'it is a path, or null for the root folder'),
  env: optional(isEnvironment, environmentRule),
  envFiles: optional(isListOf(isSomeText), 'it is a list of paths'),
  passEnv: optional(isListOf(isVariableName), 'it is a list of names of variables'),
  cleanEnv: flag,
  ready: written(parseReadyCondition, readyRule),
  readyTimeoutMs: milliseconds(),
  onTimeout: oneOf(['stop', 'keep']),
  stopSignal: optional((value) => isText(value) && Object.hasOwn(constants.signals, value), 'it is the name of a signal, such as SIGINT'),
  graceMs: milliseconds(),
  socket: path,
  log: path,
  logMaxBytes: whole(1),
  logKeep: whole(0, 1_000),
  restart: oneOf(['never', 'on-failure', 'always']),
  restartDelayMs: milliseconds(),
  restartMaxDelayMs: milliseconds(),
  restartLimit: whole(0, 1_000),
  restartWindowMs: milliseconds(),
  stableMs: milliseconds(),
  successCodes: optional(isListOf(isExitCode), 'it is a list of exit codes from 0 to 255'),
  health: optional(isObject, 'it is an object with a probe'),
  version: optional((value) => value === null || isSomeText(value), 'it is a string, such as 2.1.0'),
  onMismatch: oneOf(onMismatchValues),
  protocol: optional((value) => parseProtocolRange(value) !== undefined, protocolRangeRule),
  ownedBy: optional(isOwner, "it is 'process', 'connection' or the { pid } of a process"),
  home: path,
  descriptor: path,
};

const healthChecks: Checks<HealthOptions> = {
  probe: (value) => (value === undefined ? healthRule : written(parseHealthProbe, healthRule)(value)),
  intervalMs: milliseconds(1),
  timeoutMs: milliseconds(1),
  threshold: whole(1),
  startGraceMs: milliseconds(),
};

/** Throws `invalid-name`, or `invalid-spec` naming the option. */
export function checkDaemonOptions(options: DaemonOptions): void {
  checkOptions(options, {});
  checkedName(options.name);
  // Values may be secret: what is told of them is their names.
  if (isVariables(options.env) && !isEnvironment(options.env)) throw invalidOption('env', Object.keys(options.env), environmentRule);
  checkArguments(options.args);
  checkOptions(options, daemonChecks);
  if (options.health !== undefined) checkOptions(options.health, healthChecks, 'health');
  if (options.ownedBy !== undefined && (options.restart ?? 'never') !== 'never')
    throw invalidOption('ownedBy', options.ownedBy, 'a daemon with a restart policy belongs to its supervisor');
}

/** What one says may be secret, too: what is told of it is where it stands. */
function checkArguments(args: unknown): void {
  if (args === undefined || isListOf(isText)(args)) return;
  if (!isAnyList(args)) throw invalidSecret('args', args, argsRule);
  const items = Array.from(args as readonly unknown[]);
  const position = items.findIndex((item) => !isText(item));
  throw invalidSecret('args', items[position], argsRule, position);
}

type CallOptions = Cancellable & FollowOptions & RawConnectOptions & { force: boolean | undefined; graceMs: number | undefined };

/** What the methods take: an option means the same in each of them. */
const callChecks: Checks<CallOptions> = {
  signal: abortSignal,
  force: flag,
  graceMs: milliseconds(),
  timeoutMs: milliseconds(),
  raw: flag,
  opening: optional((value) => typeof value === 'string' || types.isUint8Array(value), 'it is a string or a Uint8Array'),
  lines: (value) => (value === Number.POSITIVE_INFINITY ? undefined : whole(0)(value)),
  since: optional((value) => types.isDate(value) && !Number.isNaN(value.getTime()), 'it is a Date'),
  follow: flag,
};

/** The options of a call. Throws `invalid-spec`. */
export function checkedCall<Options extends { readonly [Option in keyof CallOptions]?: CallOptions[Option] | undefined }>(
  options: Options,
): Options {
  checkOptions(options, callChecks);
  return options;
}

/** What is written in words. */
function written(parse: (text: string) => string | { readonly kind: string; readonly url?: string }, rule: string): Check {
  return (value) => {
    if (value === undefined) return undefined;
    const parsed = isText(value) ? parse(value) : rule;
    if (typeof parsed === 'string') return parsed;
    return parsed.url === undefined || URL.canParse(parsed.url) ? undefined : 'http takes a whole address';
  };
}

function isEnvironment(value: unknown): boolean {
  if (value === 'inherit' || isListOf(isVariableName)(value)) return true;
  return isVariables(value) && Object.entries(value).every(([name, text]) => isVariableName(name) && isText(text));
}

/** An object of values and nothing else, such as a date: that has none at all. */
function isVariables(value: unknown): value is object {
  return isObject(value) && Object.prototype.toString.call(value) === '[object Object]';
}

function isExitCode(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255;
}

function isOwner(value: unknown): boolean {
  if (isObject(value)) return Number.isSafeInteger(value.pid) && (value.pid as number) > 1;
  return value === 'process' || value === 'connection';
}

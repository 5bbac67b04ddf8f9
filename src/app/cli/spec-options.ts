import { isAbsolute, resolve } from 'node:path';
import { fitsSocketPath, isSocketPlace, longestSocketPathBytes } from '../../adapters/files/home.js';
import { findSignalName, signalNames } from '../../adapters/signal-name.js';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';
import { type HealthCheck, healthDefaults, healthRule, parseHealthProbe } from '../../domain/health-check.js';
import { parseReadyCondition, type ReadyCondition } from '../../domain/ready-condition.js';
import { restartDelays } from '../../domain/restart-policy.js';
import { shown } from '../../domain/shown.js';
import { isVariableName, variableRule } from '../../domain/variable-name.js';
import { type Invocation, UsageError } from './invocation.js';

/** Options of `start` and `run` that describe the daemon, and mean nothing without a command. */
const describing = [
  '--cwd',
  '--env',
  '--env-file',
  '--pass-env',
  '--clean-env',
  '--ready',
  '--ready-timeout',
  '--on-timeout',
  '--stop-signal',
  '--grace',
  '--socket',
  '--log',
  '--log-max-size',
  '--log-keep',
  '--restart',
  '--restart-delay',
  '--restart-max-delay',
  '--restart-limit',
  '--restart-window',
  '--stable-after',
  '--success-codes',
  '--health',
  '--health-interval',
  '--health-timeout',
  '--health-threshold',
  '--health-start-grace',
  '--daemon-version',
];

/** The spec that is asked for, or `undefined` where the remembered one is. Throws `UsageError`. */
export function specOf(invocation: Invocation, cwd: () => string): DaemonSpec | undefined {
  const { command } = invocation;
  if (command === undefined) {
    const stray = invocation.given.find((flag) => describing.includes(flag));
    if (stray)
      throw new UsageError(`${stray} needs a command too: without one, the remembered spec is used as it is`, 'a command stands after --');
    return undefined;
  }
  if (!command[0]) throw new UsageError('no command stands after --', `daemonry ${invocation.verb} <name> -- <command> [args…]`);
  return readSpec(invocation, cwd, command);
}

/** The caller's working folder is asked for only where something counts from it: it may be gone. */
function readSpec(invocation: Invocation, cwd: () => string, command: readonly string[]): DaemonSpec {
  const absolute = (path: string) => (isAbsolute(path) ? resolve(path) : resolve(cwd(), path));
  const path = (flag: string) => {
    const value = invocation.value(flag);
    return value === undefined ? undefined : absolute(value);
  };
  return {
    command,
    cwd: path('--cwd') ?? cwd(),
    env: Object.fromEntries(invocation.all('--env').map(assignment)),
    envFiles: invocation.all('--env-file').map(absolute),
    passEnv: invocation.all('--pass-env').map(variableName),
    cleanEnv: invocation.has('--clean-env'),
    ready: readiness(invocation),
    readyTimeoutMs: invocation.durationMs('--ready-timeout') ?? specDefaults.readyTimeoutMs,
    onTimeout: invocation.choice('--on-timeout', ['stop', 'keep']) ?? specDefaults.onTimeout,
    stopSignal: signalName(invocation),
    graceMs: invocation.durationMs('--grace') ?? specDefaults.graceMs,
    socket: socketPath(path('--socket')),
    log: path('--log') ?? null,
    logMaxBytes: invocation.sizeBytes('--log-max-size') ?? specDefaults.logMaxBytes,
    logKeep: invocation.count('--log-keep', 1_000) ?? specDefaults.logKeep,
    restart: invocation.choice('--restart', ['never', 'on-failure', 'always']) ?? specDefaults.restart,
    ...delays(invocation),
    restartLimit: invocation.count('--restart-limit', 1_000) ?? specDefaults.restartLimit,
    restartWindowMs: invocation.durationMs('--restart-window') ?? specDefaults.restartWindowMs,
    stableMs: invocation.durationMs('--stable-after') ?? specDefaults.stableMs,
    successCodes: successCodes(invocation),
    health: healthCheck(invocation),
    version: invocation.value('--daemon-version') ?? null,
    project: null,
  };
}

function delays(invocation: Invocation) {
  const delays = restartDelays(invocation.durationMs('--restart-delay'), invocation.durationMs('--restart-max-delay'));
  if (delays) return delays;
  const [delay, most] = [invocation.value('--restart-delay'), invocation.value('--restart-max-delay')];
  throw new UsageError(`--restart-max-delay ${most} is below --restart-delay ${delay}`, 'the delays grow from the one up to the other');
}

function successCodes(invocation: Invocation): readonly number[] {
  const text = invocation.value('--success-codes');
  if (text === undefined) return specDefaults.successCodes;
  const codes = text.split(',').map((code) => (/^\d{1,3}$/.test(code) ? Number(code) : 256));
  if (codes.every((code) => code <= 255)) return codes;
  throw new UsageError(`invalid --success-codes ${shown(text)}`, 'it takes exit codes from 0 to 255, such as 0,3');
}

function healthCheck(invocation: Invocation): HealthCheck | null {
  const text = invocation.value('--health');
  if (text === undefined) {
    const stray = invocation.given.find((flag) => flag.startsWith('--health-'));
    if (stray) throw new UsageError(`${stray} needs --health too`, healthRule);
    return null;
  }
  const probe = parseHealthProbe(text);
  if (typeof probe === 'string') throw new UsageError(`invalid --health ${shown(text)}`, probe);
  if (probe.kind === 'http' && !URL.canParse(probe.url)) {
    throw new UsageError(`invalid --health ${shown(text)}`, 'http takes a whole address');
  }
  if ((invocation.choice('--restart', ['never', 'on-failure', 'always']) ?? 'never') === 'never') {
    throw new UsageError('--health needs --restart on-failure or always', 'nothing watches over a plain daemon');
  }
  return {
    probe,
    intervalMs: positiveMs(invocation, '--health-interval', healthDefaults.intervalMs),
    timeoutMs: positiveMs(invocation, '--health-timeout', healthDefaults.timeoutMs),
    threshold: threshold(invocation),
    startGraceMs: invocation.durationMs('--health-start-grace') ?? healthDefaults.startGraceMs,
  };
}

function threshold(invocation: Invocation): number {
  const count = invocation.count('--health-threshold', 1_000) ?? healthDefaults.threshold;
  if (count > 0) return count;
  throw new UsageError('invalid --health-threshold "0"', 'it takes a whole number from 1 to 1000');
}

function positiveMs(invocation: Invocation, flag: string, fallback: number): number {
  const ms = invocation.durationMs(flag) ?? fallback;
  if (ms > 0) return ms;
  throw new UsageError(`invalid ${flag} ${shown(invocation.value(flag))}`, 'it takes more than nothing');
}

function assignment(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`invalid --env ${shown(text)}`, 'it takes NAME=value');
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function variableName(text: string): string {
  if (isVariableName(text)) return text;
  throw new UsageError(`invalid --pass-env ${shown(text)}`, variableRule);
}

function readiness(invocation: Invocation): ReadyCondition {
  const text = invocation.value('--ready');
  if (text === undefined) return specDefaults.ready;
  const condition = parseReadyCondition(text);
  if (typeof condition === 'string') throw new UsageError(`invalid --ready ${shown(text)}`, condition);
  if (condition.kind === 'http' && !URL.canParse(condition.url)) {
    throw new UsageError(`invalid --ready ${shown(text)}`, 'http takes a whole address, as in http:http://127.0.0.1:3000/ready');
  }
  return condition;
}

function signalName(invocation: Invocation): string {
  const text = invocation.value('--stop-signal');
  if (text === undefined) return specDefaults.stopSignal;
  const name = findSignalName(text);
  if (name) return name;
  throw new UsageError(`invalid --stop-signal ${shown(text)}`, `signals are ${signalNames.join(', ')}`);
}

function socketPath(path: string | undefined): string | null {
  if (path === undefined) return null;
  if (!isSocketPlace(path, process.platform)) {
    throw new UsageError(`--socket ${shown(path)} is no pipe name`, 'on Windows a socket is a named pipe, as in \\\\.\\pipe\\acme');
  }
  if (fitsSocketPath(path, process.platform)) return path;
  throw new UsageError(
    `--socket ${shown(path)} is too long`,
    `a socket path has at most ${longestSocketPathBytes(process.platform)} bytes`,
  );
}

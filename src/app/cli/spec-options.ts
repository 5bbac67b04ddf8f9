import { isAbsolute, resolve } from 'node:path';
import { fitsSocketPath, isSocketPlace, longestSocketPathBytes } from '../../adapters/files/home.js';
import { findSignalName, signalNames } from '../../adapters/posix/signal-name.js';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';
import { parseReadyCondition, type ReadyCondition } from '../../domain/ready-condition.js';
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
  '--daemon-version',
];

/** The spec that is asked for, or `undefined` where the remembered one is. Throws `UsageError`. */
export function specOf(invocation: Invocation, cwd: () => string): DaemonSpec | undefined {
  const { command } = invocation;
  if (command === undefined) {
    const stray = invocation.given.find((flag) => describing.includes(flag));
    if (stray)
      throw new UsageError(`${stray} needs a command too: without one, the remembered spec is used as it is`, 'a command stands after --');
    refuseRestart(invocation);
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
  refuseRestart(invocation);
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
    restart: specDefaults.restart,
    version: invocation.value('--daemon-version') ?? null,
  };
}

function refuseRestart(invocation: Invocation): void {
  const policy = invocation.choice('--restart', ['never', 'on-failure', 'always']);
  if (policy === undefined || policy === 'never') return;
  throw new UsageError(`--restart ${policy} is not available yet`, 'only never is: nothing watches over a plain daemon');
}

function assignment(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`invalid --env ${JSON.stringify(text)}`, 'it takes NAME=value');
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function variableName(text: string): string {
  if (text === '' || text.includes('='))
    throw new UsageError(`invalid --pass-env ${JSON.stringify(text)}`, 'it takes the name of a variable');
  return text;
}

function readiness(invocation: Invocation): ReadyCondition {
  const text = invocation.value('--ready');
  if (text === undefined) return specDefaults.ready;
  const condition = parseReadyCondition(text);
  if (typeof condition === 'string') throw new UsageError(`invalid --ready ${JSON.stringify(text)}`, condition);
  if (condition.kind === 'http' && !URL.canParse(condition.url)) {
    throw new UsageError(`invalid --ready ${JSON.stringify(text)}`, 'http takes a whole address, as in http:http://127.0.0.1:3000/ready');
  }
  return condition;
}

function signalName(invocation: Invocation): string {
  const text = invocation.value('--stop-signal');
  if (text === undefined) return specDefaults.stopSignal;
  const name = findSignalName(text);
  if (name) return name;
  throw new UsageError(`invalid --stop-signal ${JSON.stringify(text)}`, `signals are ${signalNames.join(', ')}`);
}

function socketPath(path: string | undefined): string | null {
  if (path === undefined) return null;
  if (!isSocketPlace(path, process.platform)) {
    throw new UsageError(
      `--socket ${JSON.stringify(path)} is no pipe name`,
      'on Windows a socket is a named pipe, as in \\\\.\\pipe\\acme',
    );
  }
  if (fitsSocketPath(path, process.platform)) return path;
  throw new UsageError(
    `--socket ${JSON.stringify(path)} is too long`,
    `a socket path has at most ${longestSocketPathBytes(process.platform)} bytes`,
  );
}

import { resolve } from 'node:path';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';
import { type HealthCheck, type HealthProbe, healthDefaults, parseHealthProbe } from '../../domain/health-check.js';
import { parseDuration, parseSize } from '../../domain/quantity.js';
import { parseReadyCondition, type ReadyCondition } from '../../domain/ready-condition.js';
import { restartDelays } from '../../domain/restart-policy.js';
import { splitCommand } from '../../domain/split-command.js';
import { findSignalName } from '../signal-name.js';
import type { DaemonEntry } from './project-shape.js';

/** Of a checked entry with its defaults. `textOf` writes a variable's value as the file does. */
export function entryToSpec(entry: DaemonEntry, project: string, folder: string, textOf: (name: string) => string): DaemonSpec {
  const within = (path: string) => resolve(folder, path);
  const restart = typeof entry.restart === 'string' ? { policy: entry.restart } : (entry.restart ?? {});
  const files = entry.env_file ?? [];
  return {
    ...specDefaults,
    command: typeof entry.command === 'string' ? (splitCommand(entry.command) as readonly string[]) : entry.command,
    cwd: within(entry.cwd ?? '.'),
    // Sorted, so that another order in the file is no other spec.
    env: Object.fromEntries(
      Object.keys(entry.env ?? {})
        .sort()
        .map((name) => [name, textOf(name)]),
    ),
    envFiles: (typeof files === 'string' ? [files] : files).map(within),
    passEnv: entry.pass_env ?? specDefaults.passEnv,
    cleanEnv: entry.clean_env ?? specDefaults.cleanEnv,
    ready: entry.ready === undefined ? specDefaults.ready : (parseReadyCondition(entry.ready) as ReadyCondition),
    readyTimeoutMs: milliseconds(entry.ready_timeout, specDefaults.readyTimeoutMs),
    onTimeout: entry.on_timeout ?? specDefaults.onTimeout,
    stopSignal: findSignalName(entry.stop?.signal ?? specDefaults.stopSignal) ?? specDefaults.stopSignal,
    graceMs: milliseconds(entry.stop?.grace, specDefaults.graceMs),
    socket: entry.socket === undefined ? null : within(entry.socket),
    log: entry.log === undefined ? null : within(entry.log),
    logMaxBytes: parseSize(entry.logs?.max_size ?? '') ?? specDefaults.logMaxBytes,
    logKeep: entry.logs?.keep ?? specDefaults.logKeep,
    restart: restart.policy ?? specDefaults.restart,
    ...restartDelays(parseDuration(restart.delay ?? ''), parseDuration(restart.max_delay ?? '')),
    restartLimit: restart.limit ?? specDefaults.restartLimit,
    restartWindowMs: milliseconds(restart.window, specDefaults.restartWindowMs),
    stableMs: milliseconds(restart.stable_after, specDefaults.stableMs),
    successCodes: restart.success_codes ?? specDefaults.successCodes,
    health: entry.health === undefined ? null : healthCheck(entry.health),
    version: entry.version ?? null,
    project,
  };
}

function healthCheck({ probe = '', interval, timeout, threshold, start_grace }: NonNullable<DaemonEntry['health']>): HealthCheck {
  return {
    probe: parseHealthProbe(probe) as HealthProbe,
    intervalMs: milliseconds(interval, healthDefaults.intervalMs),
    timeoutMs: milliseconds(timeout, healthDefaults.timeoutMs),
    threshold: threshold ?? healthDefaults.threshold,
    startGraceMs: milliseconds(start_grace, healthDefaults.startGraceMs),
  };
}

function milliseconds(text: string | undefined, usual: number): number {
  return text === undefined ? usual : (parseDuration(text) ?? usual);
}

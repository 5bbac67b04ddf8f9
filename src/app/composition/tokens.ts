import type { ServiceIdentifier } from 'inversify';
import type { FileDescriptorRepo } from '../../adapters/files/file-descriptor-repo.js';
import type { LogShortener } from '../../adapters/files/log-shortener.js';
import type { KernelLock } from '../../adapters/posix/file-lifecycle-lock.js';
import type { Observation, Vantage } from '../../domain/identity.js';
import type * as ports from '../../domain/ports.js';
import type { MachineSettings } from './settings.js';

/** An inspector of a system that answers at once, which signalling and locking need between a proof and its use. */
export interface PromptInspector extends ports.ProcessInspector {
  vantage(): Vantage;
  observe(pid: number): Observation;
  survey(): readonly ports.ProcessRow[];
  /** Whether this process has become its command, and is not the launch gate any more. */
  hasExecuted(pid: number): boolean;
}

/** Says what stands behind it, so that a wrong binding does not compile. */
export type Token<T> = symbol & { readonly stands?: T };

function token<T>(name: string): Token<T> {
  return Symbol(name) as Token<T>;
}

export const tokens = {
  settings: token<MachineSettings>('MachineSettings'),
  clock: token<ports.Clock>('Clock'),
  inspector: token<PromptInspector>('ProcessInspector'),
  spawner: token<ports.ProcessSpawner>('ProcessSpawner'),
  signals: token<ports.SignalSender>('SignalSender'),
  descriptors: token<FileDescriptorRepo>('DescriptorRepo'),
  lock: token<ports.LifecycleLock>('LifecycleLock'),
  kernelLock: token<KernelLock>('KernelLock'),
  logShortener: token<LogShortener>('LogShortener'),
  strayDescriptors: token<() => readonly number[]>('strayDescriptors'),
  readiness: token<ports.ReadinessProbe>('ReadinessProbe'),
  control: token<ports.ControlChannel>('ControlChannel'),
  logs: token<ports.LogStore>('LogStore'),
  runs: token<ports.RunLog>('RunLog'),
};

export function serviceIdentifier<T>(of: Token<T>): ServiceIdentifier<T> {
  return of as ServiceIdentifier<T>;
}

/** All ports together, found by whatever resolves tokens. */
export function machineFrom(get: <T>(wanted: Token<T>) => T): ports.Machine {
  const { clock, inspector, spawner, signals, descriptors, lock, readiness, control, logs, runs } = tokens;
  return {
    clock: get(clock),
    inspector: get(inspector),
    spawner: get(spawner),
    signals: get(signals),
    descriptors: get(descriptors),
    lock: get(lock),
    readiness: get(readiness),
    control: get(control),
    logs: get(logs),
    runs: get(runs),
  };
}

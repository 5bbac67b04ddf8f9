import type { SupervisedMachine } from '../../domain/delegate.js';
import { createMachine } from '../composition/container.js';
import { type MachineSettings, machineSettings } from '../composition/settings.js';
import { withSupervisor } from '../composition/supervising.js';

/** A machine, and what it was composed for. */
export interface HostMachine extends Pick<MachineSettings, 'home' | 'env'> {
  readonly machine: SupervisedMachine;
}

let latest: HostMachine | undefined;

/** Of a home. Most programs keep all of their daemons in one: what was composed last is what is wanted next. */
export function hostMachine(home: string | undefined): HostMachine {
  const settings = machineSettings({ home });
  if (latest?.home !== settings.home || isOutdated(latest)) {
    latest = { home: settings.home, env: settings.env, machine: withSupervisor(createMachine({ home }), settings) };
  }
  return latest;
}

/** A program may put another object in the place of `process.env`, as tests do between two of them: daemons get what is in that. */
export function isOutdated({ env }: HostMachine): boolean {
  return env !== process.env;
}

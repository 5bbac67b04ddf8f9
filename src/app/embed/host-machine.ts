import type { SupervisedMachine } from '../../domain/delegate.js';
import { createMachine } from '../composition/container.js';
import { machineSettings } from '../composition/settings.js';
import { withSupervisor } from '../composition/supervising.js';

let latest: { readonly home: string; readonly machine: SupervisedMachine } | undefined;

/** Of a home. Most programs keep all of their daemons in one: what was composed last is what is wanted next. */
export function hostMachine(home: string | undefined): SupervisedMachine {
  const settings = machineSettings({ home });
  if (latest?.home !== settings.home) latest = { home: settings.home, machine: withSupervisor(createMachine({ home }), settings) };
  return latest.machine;
}

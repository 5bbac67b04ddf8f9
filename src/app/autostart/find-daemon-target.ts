import { checkedName } from '../../domain/daemon-name.js';
import type { Machine } from '../../domain/ports.js';
import { withoutSpec } from '../../domain/restart-daemon.js';
import type { MachineSettings } from '../composition/settings.js';
import { daemonTarget, type ServiceTarget } from './service-target.js';

export interface TargetPlace {
  readonly machine: Machine;
  readonly settings: MachineSettings;
}

/** A daemon that has once been started: what is remembered of it is what its service starts. Throws `not-found`, `invalid-name`. */
export async function findDaemonTarget({ machine, settings }: TargetPlace, name: string): Promise<ServiceTarget> {
  const ref = { name: checkedName(name) };
  const spec = await machine.descriptors.readSpec(ref);
  const place = await machine.descriptors.place(ref);
  if (!spec) throw withoutSpec(place);
  return daemonTarget(settings, place.name, spec);
}

import type { Machine } from '../../domain/ports.js';
import { findService, installService } from '../autostart/autostart.js';
import { type AutostartStatus, autostartStatus, type BootReason } from '../autostart/autostart-status.js';
import { targetOf } from '../autostart/find-target.js';
import { autostartContext } from '../composition/autostart.js';
import type { MachineSettings } from '../composition/settings.js';
import type { Finding } from './diagnose.js';

/** Where the service of a daemon is not what it would be now, or will not start it. Changes nothing. */
export async function diagnoseServices(machine: Machine, settings: MachineSettings): Promise<readonly Finding[]> {
  const context = autostartContext(machine, settings);
  const names = context.files.records().flatMap((record) => record.names);
  if (names.length === 0) return [];
  const told = new Set<string>();
  return (await autostartStatus(context, names)).flatMap((status) =>
    status.reasons.flatMap((reason) => {
      // What concerns a whole service is said once.
      if (reason.code === 'at-login' || told.has(reason.message)) return [];
      told.add(reason.message);
      return [findingOf(status, reason)];
    }),
  );
}

/** Installs a service again, as it would be now. Its daemon is left as it is. */
export async function mendService(machine: Machine, settings: MachineSettings, name: string): Promise<void> {
  const context = autostartContext(machine, settings);
  const record = findService(context.files.records(), name);
  if (!record) return;
  const target = await targetOf(context, record);
  // In another home it has another name.
  if (target.id !== record.id) {
    await context.installer.uninstall(record.id);
    context.files.remove(record.id);
  }
  await installService(context, target);
}

function findingOf({ name }: AutostartStatus, { message, hint, drift }: BootReason): Finding {
  return { code: drift ? 'autostart-drift' : 'autostart-obstacle', name, message, hint, fixed: false };
}

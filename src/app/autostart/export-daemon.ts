import { lstatSync } from 'node:fs';
import { userInfo } from 'node:os';
import { composeFile } from '../../adapters/autostart/compose-file.js';
import { kubernetesManifest } from '../../adapters/autostart/kubernetes-manifest.js';
import { lastingNode } from '../../adapters/autostart/lasting-node.js';
import { exportedAgent } from '../../adapters/autostart/launch-agent.js';
import { exportedUnit } from '../../adapters/autostart/systemd-unit.js';
import { exportedTask } from '../../adapters/windows/task-definition.js';
import { exportedWinsw } from '../../adapters/windows/winsw-config.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { checkedName } from '../../domain/daemon-name.js';
import type { Machine } from '../../domain/ports.js';
import { withoutSpec } from '../../domain/restart-daemon.js';
import type { ServiceCommand, ServiceText } from '../../domain/service-command.js';
import type { MachineSettings } from '../composition/settings.js';

export const exportTargets = [
  'systemd',
  'launchd',
  'windows-task',
  'windows-service',
  'compose',
  'kubernetes',
] as const satisfies readonly ExportTarget[];
/** The managers in whose words a daemon can be said. */
export type ExportTarget = 'systemd' | 'launchd' | 'windows-task' | 'windows-service' | 'compose' | 'kubernetes';

/**
 * A daemon's definition for whoever is to keep it in our stead: its own command, folder, variables and times. It names no file
 * that isn't there.
 *
 * Throws `not-found`, and `command-not-found`, `not-executable` or `invalid-spec` for what its spec names and is gone.
 */
export async function exportDaemon(
  { machine, settings }: { readonly machine: Machine; readonly settings: MachineSettings },
  name: string,
  to: ExportTarget,
): Promise<ServiceText> {
  const ref = { name: checkedName(name) };
  const spec = await machine.descriptors.readSpec(ref);
  const place = await machine.descriptors.place(ref);
  if (!spec) throw withoutSpec(place);
  const { file } = await machine.spawner.resolve(spec);
  for (const envFile of spec.envFiles) insistOn(envFile);
  const described: ServiceCommand = {
    id: place.name,
    name: place.name,
    command: [lastingNode(file), ...spec.command.slice(1)],
    spec,
    log: spec.log ?? place.log,
  };
  return write(described, to, userName(settings));
}

function write(command: ServiceCommand, to: ExportTarget, user: string): ServiceText {
  switch (to) {
    case 'systemd':
      return exportedUnit(command);
    case 'launchd':
      return exportedAgent(command);
    case 'windows-task':
      return exportedTask(command, user);
    case 'windows-service':
      return exportedWinsw(command);
    case 'compose':
      return composeFile(command);
    case 'kubernetes':
      return kubernetesManifest(command);
  }
}

/** A pipe of a shell's, for one, is gone by now. */
function insistOn(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  throw new DaemonError('invalid-spec', `the environment file ${path} is gone`, { path, allowed: 'start it with one that stays' });
}

function userName({ env }: MachineSettings): string {
  const name = env.USERNAME ?? env.USER ?? userInfo().username;
  return env.USERDOMAIN ? `${env.USERDOMAIN}\\${name}` : name;
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { serviceFolder } from '../../adapters/autostart/service-folder.js';
import { JsonRpcSupervisorChannel } from '../../adapters/net/json-rpc-supervisor-channel.js';
import type { ServiceChannel, SupervisedMachine } from '../../domain/delegate.js';
import type { Machine } from '../../domain/ports.js';
import type { RestartRequest } from '../../domain/restart-daemon.js';
import type { StartRequest } from '../../domain/start-daemon.js';
import { supervisorSpec } from '../supervise/supervisor-spec.js';
import type { MachineSettings } from './settings.js';

/** A machine on which a supervisor, or a service manager, can be had. */
export function withSupervisor(machine: Machine, settings: MachineSettings): SupervisedMachine {
  const { home, env } = settings;
  return {
    ...machine,
    get supervisorSpec() {
      return supervisorSpec(home);
    },
    supervisor: new JsonRpcSupervisorChannel(env),
    services: servicesOf(machine, settings),
  };
}

/** Where nothing was ever installed, a single look. */
function servicesOf(machine: Machine, settings: MachineSettings): ServiceChannel {
  const perform = async (request: StartRequest | RestartRequest, isRestart: boolean) => {
    if (!existsSync(join(settings.home, serviceFolder))) return undefined;
    const { startByService } = await import('../autostart/service-channel.js');
    return startByService(machine, settings, request, isRestart);
  };
  return { start: (request) => perform(request, false), restart: (request) => perform(request, true) };
}

import { NetHealthProber } from '../../adapters/net/net-health-prober.js';
import type { ProbeHealth } from '../../domain/kept-project-daemons.js';
import type { Machine } from '../../domain/ports.js';

/** One probe of a project's daemon, with the environment that its spec makes. */
export function healthProbe(machine: Machine): ProbeHealth {
  const prober = new NetHealthProber();
  return async (spec, { descriptor }) => {
    if (spec.health === null || descriptor === null) return false;
    const { pid, socket, instanceId } = descriptor;
    const { cwd, env } = await machine.spawner.resolve(spec);
    return prober.check(spec.health.probe, { pid, socket, instanceId, cwd, environment: env }, spec.health.timeoutMs);
  };
}

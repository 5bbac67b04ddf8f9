import type { HealthProbe } from '../../domain/health-check.js';
import type { HealthProber, HealthSubject } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';

/** A port is well while somebody listens there; everything else while its process lives. */
export class SimulatedHealthProber implements HealthProber {
  constructor(private readonly actor: SimulatedActor) {}

  check(probe: HealthProbe, { pid }: HealthSubject): Promise<boolean> {
    return this.actor.call('health.check', () => {
      const { world, process } = this.actor;
      if (probe.kind === 'port') return world.network.find(`port:${probe.port}`) !== undefined;
      return process.space.processes.get(pid)?.isAlive === true;
    });
  }
}

import { NetHealthProber } from '../../adapters/net/net-health-prober.js';
import { SystemClock } from '../../adapters/system-clock.js';
import type { SupervisingMachine } from '../../domain/ports.js';
import { composeMachine } from './compose.js';
import type { MachineSettings } from './settings.js';

/** What a supervisor runs on. It takes the lock by claim wherever that goes: no helper process stands between a crash and the next run. */
export function composeSupervisingMachine(settings: MachineSettings): SupervisingMachine {
  const machine = composeMachine({ ...settings, claimsFirst: true });
  return { ...machine, health: new NetHealthProber(), backgroundClock: new SystemClock(false) };
}

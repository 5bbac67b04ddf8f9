import type { SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';

/** The distinct states that schedules have reached, all names taken together: how far they get about. */
export class Coverage {
  private readonly states = new Set<string>();

  get size(): number {
    return this.states.size;
  }

  note(world: SimulatedWorld): void {
    let state = '';
    for (const { descriptor, record, ended, name } of world.disk.folders) {
      const lock = world.locks.state(descriptor.toLowerCase());
      state += `${name} ${lock} ${stateOfProcesses(world, descriptor)} `;
      state += record.kind === 'present' ? `${record.descriptor.phase} ${slotOf(world, record.descriptor)} ` : `${record.kind} `;
      if (ended !== null) state += 'ended ';
    }
    this.states.add(state);
  }
}

/** What has become of the recorded process. */
function slotOf(world: SimulatedWorld, recorded: { pid: number; startToken: string; pidNamespace: string; bootId: string }): string {
  if (recorded.bootId !== world.kernel.bootId) return 'other-boot';
  const space = world.kernel.spaces.get(recorded.pidNamespace);
  if (!space) return 'other-space';
  const found = space.processes.get(recorded.pid);
  if (!found) return 'gone';
  return found.startToken === recorded.startToken ? found.life : 'stranger';
}

/** Leaders behind their gate and past it, what they have forked, and of how many instances: each as none, one, or more. */
function stateOfProcesses(world: SimulatedWorld, descriptor: string): string {
  let [gated, leaders, others] = [0, 0, 0];
  for (const { processes } of world.kernel.spaces.values()) {
    for (const process of processes.values()) {
      if (process.origin?.descriptor !== descriptor || !process.isAlive) continue;
      if (process.life === 'gated') gated++;
      else if (process.isLeader) leaders++;
      else others++;
    }
  }
  return `${Math.min(gated, 2)}${Math.min(leaders, 2)}${Math.min(others, 2)}`;
}

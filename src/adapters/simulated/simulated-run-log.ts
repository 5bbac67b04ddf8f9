import type { DaemonRef, HeldLock, RunLog } from '../../domain/ports.js';
import type { RunRecord } from '../../domain/run-record.js';
import type { SimulatedActor } from './simulated-actor.js';

const mostKept = 100;

export class SimulatedRunLog implements RunLog {
  constructor(private readonly actor: SimulatedActor) {}

  append(held: HeldLock, run: RunRecord): Promise<void> {
    return this.actor.call('runs.append', () => {
      const { disk } = this.actor.world;
      const folder = disk.create(held.ref);
      disk.changes++;
      folder.runs = [run, ...folder.runs].slice(0, mostKept);
    });
  }

  read(ref: DaemonRef, most: number): Promise<readonly RunRecord[]> {
    return this.actor.call('runs.read', () => this.actor.world.disk.locate(ref).runs.slice(0, most));
  }
}

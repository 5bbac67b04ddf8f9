import type { HeldLock, LogStore, LogTarget, RotateOutcome } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';
import type { SimulatedDisk } from './simulated-disk.js';

export class SimulatedLogStore implements LogStore {
  constructor(private readonly actor: SimulatedActor) {}

  prepare(_held: HeldLock, target: LogTarget): Promise<{ path: string; offset: number }> {
    return this.actor.call('logs.prepare', () => {
      const path = this.pathOf(target);
      if (this.disk.sizeOf(path) >= target.maxBytes) this.disk.rotateLog(path, target.keep);
      this.disk.append(path, '');
      return { path, offset: this.disk.baseOf(path) + this.disk.sizeOf(path) };
    });
  }

  rotate(_held: HeldLock, target: LogTarget): Promise<RotateOutcome> {
    return this.actor.call('logs.rotate', () => {
      const path = this.pathOf(target);
      if (this.disk.sizeOf(path) < target.maxBytes) return 'fits';
      if (!this.actor.world.cutsLogs) return 'unsupported';
      this.disk.rotateLog(path, target.keep);
      this.disk.append(path, '');
      return 'rotated';
    });
  }

  noteTime(path: string): Promise<number> {
    return this.actor.call('logs.noteTime', () => this.disk.sizeOf(path));
  }

  tail(path: string, lines: number, fromOffset = 0): Promise<readonly string[]> {
    return this.actor.call('logs.tail', () => {
      const all = this.disk.outputFrom(path, fromOffset).split(/\r?\n/);
      if (all.at(-1) === '') all.pop();
      return lines <= 0 ? [] : all.slice(-lines);
    });
  }

  private pathOf(target: LogTarget): string {
    return target.file ?? this.disk.locate(target.ref).log;
  }

  private get disk(): SimulatedDisk {
    return this.actor.world.disk;
  }
}

import type { HeldLock, LogStore, LogTarget } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';

export class SimulatedLogStore implements LogStore {
  constructor(private readonly actor: SimulatedActor) {}

  prepare(_held: HeldLock, target: LogTarget): Promise<{ path: string; offset: number }> {
    return this.actor.call('logs.prepare', () => {
      const path = target.file ?? this.actor.world.disk.locate(target.ref).log;
      if ((this.files.get(path)?.length ?? 0) >= target.maxBytes) this.rotate(path, target.keep);
      if (!this.files.has(path)) this.files.set(path, '');
      return { path, offset: this.files.get(path)?.length ?? 0 };
    });
  }

  tail(path: string, lines: number, fromOffset = 0): Promise<readonly string[]> {
    return this.actor.call('logs.tail', () => {
      let text = (this.files.get(path) ?? '').slice(fromOffset);
      for (let number = 1; fromOffset === 0 && this.files.has(`${path}.${number}`); number++)
        text = this.files.get(`${path}.${number}`) + text;
      const all = text.split(/\r?\n/);
      if (all.at(-1) === '') all.pop();
      return lines <= 0 ? [] : all.slice(-lines);
    });
  }

  private rotate(path: string, keep: number): void {
    for (let number = keep; number >= 1; number--) {
      const from = number === 1 ? path : `${path}.${number - 1}`;
      const text = this.files.get(from);
      if (text !== undefined) this.files.set(`${path}.${number}`, text);
    }
    this.files.delete(path);
  }

  private get files(): Map<string, string> {
    return this.actor.world.disk.files;
  }
}

import type { Clock } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';

const bootedAt = Date.UTC(2026, 0, 1);

export class SimulatedClock implements Clock {
  constructor(private readonly actor: SimulatedActor) {}

  monotonicMs(): number {
    const { schedule, kernel } = this.actor.world;
    return schedule.nowMs - kernel.bootedAtMs;
  }

  wallTime(): string {
    return new Date(bootedAt + this.actor.world.schedule.nowMs).toISOString();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.actor.wait('clock.sleep', (waking) => {
      if (signal?.aborted) return waking.resolve();
      const done = () => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        waking.resolve();
      };
      const timer = this.actor.world.schedule.after(ms, done);
      signal?.addEventListener('abort', done);
    });
  }
}

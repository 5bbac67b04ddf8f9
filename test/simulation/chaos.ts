import type { SeededRandom } from '../../src/adapters/simulated/seeded-random.js';
import type { SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import type { SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';

/** What happens to a machine by itself, each in so many milliseconds on average; zero for never. */
export interface ChaosPace {
  readonly strangerMs: number;
  readonly deathMs: number;
  readonly spoiledMs: number;
  readonly rebootMs: number;
}

/** Strangers come and go, daemons die, files are spoiled, the machine reboots: until `isOver`. */
export class Chaos {
  /** When each daemon last suffered something that excuses a failed verb. */
  readonly blows = new Map<string, number>();

  constructor(
    private readonly world: SimulatedWorld,
    private readonly random: SeededRandom,
    private readonly isOver: () => boolean,
  ) {}

  unleash(pace: ChaosPace): void {
    this.often(pace.strangerMs, () => this.stranger());
    this.often(pace.deathMs, () => this.death());
    this.often(pace.spoiledMs, () => this.spoil());
    this.often(pace.rebootMs, () => this.world.reboot());
  }

  private often(meanMs: number, happen: () => void): void {
    if (meanMs === 0) return;
    this.world.schedule.after(this.random.next() * 2 * meanMs, () => {
      if (this.isOver()) return;
      happen();
      this.often(meanMs, happen);
    });
  }

  /** Alone, with a child, or as a daemon that forked twice: its child has a session whose leader is gone. */
  private stranger(): void {
    const { world, random } = this;
    const stranger = world.spawnStranger({ placement: random.pick(['own-session', 'own-group', 'same-group']) });
    const child = random.chance(0.5) ? world.kernel.fork({ parent: stranger, placement: 'same-group' }) : undefined;
    this.endWithin(stranger, random.chance(0.5) ? 1 : 300);
    if (child) this.endWithin(child, 600);
  }

  private endWithin(process: SimulatedProcess, ms: number): void {
    this.world.schedule.after(this.random.next() * ms, () => this.world.kernel.exit(process, { exitCode: 0, signal: null }));
  }

  /** Somebody runs out of memory: a daemon, or one of its children. */
  private death(): void {
    const victims = [...this.world.kernel.root.processes.values()].filter(
      (process) => process.origin !== null && process.life === 'running',
    );
    if (victims.length === 0) return;
    const victim = this.random.pick(victims);
    this.blows.set(victim.origin?.descriptor ?? '', this.world.schedule.nowMs);
    this.world.kernel.exit(victim, { exitCode: null, signal: 'SIGKILL' });
  }

  private spoil(): void {
    const recorded = [...this.world.disk.folders].filter(({ record }) => record.kind === 'present');
    if (recorded.length === 0) return;
    const folder = this.random.pick(recorded);
    this.world.disk.store(folder, { kind: 'corrupt', reason: 'it is empty' });
  }
}

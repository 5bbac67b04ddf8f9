import type { RunningProgram } from '../../adapters/simulated/program.js';
import { SeededRandom } from '../../adapters/simulated/seeded-random.js';
import type { SimulatedProcess } from '../../adapters/simulated/simulated-process.js';
import { SimulatedWorld } from '../../adapters/simulated/simulated-world.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { SimulatedHost } from './simulated-host.js';
import { type SimulatedBehaviour, SimulatedProgram } from './simulated-program.js';
import type { SimulatedServices } from './simulated-service.js';
import { supervise } from './simulated-supervisor.js';

/** Which run of a simulated machine it is. */
export interface SimulationOptions {
  /** Decides everything: whose call comes next, how long things take, which pids there are. The same seed, the same run. Default 1. */
  readonly seed?: number | undefined;
  /** Told of each call that a host makes of the machine, in one line: what happened, to find out why. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** A living process of a daemon. */
export interface SimulatedProcessInfo {
  readonly pid: number;
  /** The daemon's name. */
  readonly name: string;
  readonly instanceId: string;
  /** The daemon itself, rather than a child of it. */
  readonly isLeader: boolean;
}

/** What goes on for longer has no end. */
const stepLimit = 500_000;

/**
 * A machine in memory, with processes, signals, files, locks, sockets and a clock of its own, on which daemonry's own code runs
 * unchanged. A race that takes luck to be seen on a real machine is a seed here, and a thousand of them take seconds.
 *
 * @example
 * const simulation = createSimulation({ seed: 7 });
 * simulation.program('acmed', (self) => self.after(5, () => self.serve({ methods: { greet: () => 'hello' } })));
 * await simulation.run(async () => {
 *   const [one, two] = [simulation.host('one'), simulation.host('two')];
 *   const acme = { name: 'acme', command: 'acmed', ready: 'socket' };
 *   await Promise.all([one.attempt(() => one.defineDaemon(acme).ensure()), two.attempt(() => two.defineDaemon(acme).ensure())]);
 *   assert.equal(simulation.processes('acme').length, 1);
 * });
 */
export function createSimulation(options: SimulationOptions = {}): Simulation {
  return new Simulation(options);
}

/** A machine in memory: processes, signals, files, locks, sockets and a clock, and the hosts that use daemonry there. */
export class Simulation {
  readonly seed: number;
  /** For choices of a scenario's own, by the same seed. */
  readonly random: {
    next(): number;
    below(limit: number): number;
    chance(probability: number): boolean;
    pick<T>(choices: readonly T[]): T;
  };
  private readonly world: SimulatedWorld;
  private readonly services: SimulatedServices = new WeakMap();
  private isPlayed = false;

  /** @internal */
  constructor({ seed = 1, trace }: SimulationOptions) {
    this.seed = seed;
    this.random = new SeededRandom(seed ^ 0x2545_f491);
    this.world = new SimulatedWorld({ seed, pace: { stepLimit } });
    // A host may do several things at once.
    this.world.schedule.isPatient = true;
    this.world.programs.set('supervisor', (self) => supervise(this.world, self));
    if (trace) this.world.onCall = ({ actor, call }) => trace(`${this.nowMs.toFixed(2)} ms  ${actor.name}: ${call}`);
  }

  /** Simulated time since the beginning. */
  get nowMs(): number {
    return this.world.schedule.nowMs;
  }

  /** What `command` does, for daemons that are defined with it. Unknown commands are not found, as elsewhere. */
  program(command: string, behaviour: SimulatedBehaviour): this {
    this.world.programs.set(command, (self: RunningProgram, args) => {
      const result: unknown = behaviour(new SimulatedProgram(self, this.services), args);
      // Its type says that nothing is returned, and takes an `async` function all the same.
      if (result instanceof Promise) result.catch((error) => this.world.schedule.abandon(error));
    });
    return this;
  }

  /** A program of your users' that uses daemonry, such as one run of your command line. */
  host(name?: string): SimulatedHost {
    return new SimulatedHost(this.world.actor(name === undefined ? {} : { name }), this.services);
  }

  /**
   * Plays a scenario; afterwards nothing happens any more. Rejects with what the scenario throws, with what `always` finds, and
   * where everybody waits for something that is not going to happen on this machine; the message begins with the seed. Once for each
   * simulation: throws `unsupported` from the second time on.
   */
  async run<T>(scenario: (simulation: this) => Promise<T>): Promise<T> {
    if (this.isPlayed) throw new DaemonError('unsupported', 'a simulation is played once: create another one for each run', {});
    this.isPlayed = true;
    try {
      return await Promise.race([scenario(this), this.world.schedule.failure]);
    } catch (error) {
      throw withSeed(this.seed, error);
    } finally {
      this.world.schedule.end();
    }
  }

  /** Checked after every step of anybody's; what it throws fails the run. */
  always(check: (simulation: this) => void): this {
    this.world.schedule.onStep = () => check(this);
    return this;
  }

  /** Lets time pass, and everybody go on meanwhile. */
  pass(ms: number): Promise<void> {
    return this.world.pass(ms);
  }

  /** The living processes of daemons, or of one, its children included. */
  processes(name?: string): readonly SimulatedProcessInfo[] {
    return this.living().flatMap((process) => {
      const { pid, origin, isLeader } = process;
      const folder = origin && this.world.folderOf(origin.descriptor);
      // One that waits behind its gate runs nothing yet.
      if (!origin || !folder || process.life !== 'running' || (name !== undefined && folder.name !== name)) return [];
      return [{ pid, name: folder.name, instanceId: origin.instanceId, isLeader }];
    });
  }

  /** Kills a process at this very moment, as the machine does when it runs out of memory. */
  kill(pid: number): void {
    const process = this.living().find((one) => one.pid === pid);
    if (process) this.world.kernel.exit(process, { exitCode: null, signal: 'SIGKILL' });
  }

  /** The machine goes down and comes up again: nobody is left, and all that is left is what was written. */
  reboot(): void {
    this.world.reboot();
  }

  private living(): readonly SimulatedProcess[] {
    return [...this.world.kernel.spaces.values()].flatMap(({ processes }) => [...processes.values()].filter(({ isAlive }) => isAlive));
  }
}

/** How many runs are tried. */
export interface ExploreOptions {
  /** How many seeds are played. Default 200. */
  readonly runs?: number | undefined;
  /** The first of them. Default 1. To play one again: its seed, and one run. */
  readonly firstSeed?: number | undefined;
}

/** Plays a scenario with one seed after the other, each on a machine of its own; rejects as `run` does, at the first that fails. */
export async function exploreSeeds(
  scenario: (simulation: Simulation) => Promise<unknown>,
  { runs = 200, firstSeed = 1 }: ExploreOptions = {},
): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) await createSimulation({ seed }).run(scenario);
}

function withSeed(seed: number, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`seed ${seed}: ${message}`, { cause: error });
}

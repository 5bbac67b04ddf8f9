import type { RunningProgram } from '../../src/adapters/simulated/program.js';
import { SeededRandom } from '../../src/adapters/simulated/seeded-random.js';
import type { Attempt, SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import { SimulatedWorld, type SimulatedWorldOptions } from '../../src/adapters/simulated/simulated-world.js';
import { isDaemonError } from '../../src/domain/daemon-error.js';
import { type DaemonSpec, specDefaults } from '../../src/domain/daemon-spec.js';
import { ensureDaemon } from '../../src/domain/ensure-daemon.js';
import { listDaemons } from '../../src/domain/list-daemons.js';
import { type DaemonView, look } from '../../src/domain/look.js';
import type { DaemonRef, Machine } from '../../src/domain/ports.js';
import { restartDaemon } from '../../src/domain/restart-daemon.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { Chaos, type ChaosPace } from './chaos.js';
import { type Invariant, isFindable, judge, type Ledger, Violation } from './invariants.js';

export interface SimulationOptions {
  readonly seed: number;
  readonly users?: number;
  readonly verbsEach?: number;
  /** How likely a verb's program is killed over it. */
  readonly crashes?: number;
  readonly chaos?: Partial<ChaosPace>;
  readonly world?: Partial<SimulatedWorldOptions>;
  /** A machine with a flaw, for a simulation that is to find it. */
  readonly flaw?: (machine: Machine) => Machine;
  readonly invariants?: readonly Invariant[];
  /** Told of each call. */
  readonly trace?: (line: string) => void;
}

const names = ['web', 'api'] as const;
const verbs = ['start', 'start', 'stop', 'stop', 'restart', 'ensure', 'list'] as const;
type Verb = (typeof verbs)[number];
const calm: ChaosPace = { strangerMs: 25, deathMs: 250, spoiledMs: 1_000, rebootMs: 1_500 };
const longestThoughtMs = 150;
/** Verbs that are killed, are so within their first calls: few take more. */
const latestCrashCall = 60;

/** One schedule: several users run verbs at random on one machine, and every step is judged. Throws a `Violation`. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const simulation = new Simulation(options);
  await simulation.run();
  return { steps: simulation.world.schedule.steps, seen: simulation.seen };
}

export interface SimulationReport {
  readonly steps: number;
  /** How each verb came out, and in which state daemons were seen, for a proof that the schedules get about. */
  readonly seen: ReadonlySet<string>;
}

/** Runs one schedule again and tells its last calls, for a failure that is to be understood. */
export async function explain(options: SimulationOptions, lines = 60): Promise<string> {
  const trace: string[] = [];
  try {
    await simulate({ ...options, trace: (line) => trace.push(line) });
    return 'this time nothing failed';
  } catch (error) {
    return [`seed ${options.seed}: ${(error as Error).message}`, ...trace.slice(-lines)].join('\n');
  }
}

class Simulation {
  readonly world: SimulatedWorld;
  readonly seen = new Set<string>();
  private readonly random: SeededRandom;
  private readonly ledger: Ledger;
  private readonly chaos: Chaos;
  private isOver = false;

  constructor(private readonly options: SimulationOptions) {
    this.world = new SimulatedWorld({ seed: options.seed, ...options.world });
    this.random = new SeededRandom(options.seed ^ 0x5bd1_e995);
    this.ledger = judge(this.world, options.invariants);
    this.chaos = new Chaos(this.world, this.random, () => this.isOver);
    for (const [name, program] of Object.entries(this.programs())) this.world.programs.set(name, program);
    if (options.trace) this.traceTo(options.trace);
  }

  async run(): Promise<void> {
    this.chaos.unleash({ ...calm, ...this.options.chaos });
    await Promise.all(Array.from({ length: this.options.users ?? 3 }, (_, user) => this.live(user)));
    this.isOver = true;
    for (const name of names) await this.bringToOrder({ name });
  }

  private async live(user: number): Promise<void> {
    const random = new SeededRandom(this.options.seed * 31 + user);
    let actor = this.world.actor({ name: `user-${user}` });
    for (let count = 0; count < (this.options.verbsEach ?? 4); count++) {
      await this.pass(random.next() * longestThoughtMs);
      if (actor.ended || random.chance(0.5)) {
        actor.crash();
        actor = this.world.actor({ name: `user-${user}.${count}` });
      }
      const ref = { name: random.pick(names) };
      const crashAt = random.chance(this.options.crashes ?? 0.3) ? actor.calls + 1 + random.below(latestCrashCall) : 0;
      this.crashAt(actor, crashAt);
      await this.perform(actor, random.pick(verbs), ref, this.randomSpec(random));
    }
  }

  private readonly crashCalls = new Map<SimulatedActor, number>();

  private crashAt(actor: SimulatedActor, call: number): void {
    this.crashCalls.set(actor, call);
    this.world.faults ??= ({ actor, number }) => (this.crashCalls.get(actor) === number ? { when: 'before', what: 'crash' } : undefined);
  }

  private async perform(actor: SimulatedActor, verb: Verb, ref: DaemonRef, spec: DaemonSpec): Promise<void> {
    const beganMs = this.world.schedule.nowMs;
    const machine = this.options.flaw?.(actor.machine) ?? actor.machine;
    this.options.trace?.(`${actor.name} begins to ${verb} ${ref.name} (${spec.command.join(' ')})`);
    switch (verb) {
      case 'start':
        return this.judgeStart(ref, beganMs, await actor.attempt(() => startDaemon(machine, { ref, spec })));
      case 'ensure':
        return this.judgeStart(ref, beganMs, await actor.attempt(() => ensureDaemon(machine, { ref, spec })));
      case 'restart':
        return this.judgeStart(ref, beganMs, await actor.attempt(() => restartDaemon(machine, { ref })));
      case 'stop':
        return this.judgeStop(ref, beganMs, await actor.attempt(() => stopDaemon(machine, { ref })));
      case 'list':
        return this.judgeList(ref, beganMs, await actor.attempt(() => listDaemons(machine)));
    }
  }

  /** Whoever starts, is answered with an instance that ran, and that neither was dead nor was being ended before. */
  private judgeStart(ref: DaemonRef, beganMs: number, attempt: Attempt<{ descriptor: { instanceId: string } }>): void {
    if (!this.insistOnSuccess(ref, beganMs, attempt)) return;
    const { instanceId } = attempt.value.descriptor;
    const { ran, signalled, ended } = this.ledger;
    if (!ran.has(instanceId)) throw new Violation('verb', `a start of ${ref.name} answers with ${instanceId}, which never ran`);
    const lastMs = Math.min(signalled.get(instanceId) ?? Number.POSITIVE_INFINITY, ended.get(instanceId) ?? Number.POSITIVE_INFINITY);
    if (lastMs < beganMs)
      throw new Violation('verb', `a start of ${ref.name} answers with ${instanceId}, which was ending at ${lastMs.toFixed(2)} ms`);
  }

  /** Of what ran before a stop, nothing does after it. */
  private judgeStop(ref: DaemonRef, beganMs: number, attempt: Attempt<unknown>): void {
    if (!this.insistOnSuccess(ref, beganMs, attempt)) return;
    for (const process of this.processesOf(ref)) {
      const ranMs = this.ledger.ran.get(process.origin?.instanceId ?? '') ?? Number.POSITIVE_INFINITY;
      if (ranMs < beganMs)
        throw new Violation('verb', `pid ${process.pid} of ${process.origin?.instanceId} outlives a stop of ${ref.name}`);
    }
  }

  private judgeList(ref: DaemonRef, beganMs: number, attempt: Attempt<readonly DaemonView[]>): void {
    if (!this.insistOnSuccess(ref, beganMs, attempt)) return;
    for (const { reason, phase } of attempt.value) this.seen.add(reason).add(`phase ${phase}`);
  }

  private insistOnSuccess<T>(ref: DaemonRef, beganMs: number, attempt: Attempt<T>): attempt is { kind: 'returned'; value: T } {
    if (attempt.kind === 'crashed') this.seen.add('crashed');
    if (attempt.kind === 'returned' && isOutcome(attempt.value)) this.seen.add(attempt.value.outcome);
    if (attempt.kind !== 'threw') return attempt.kind === 'returned';
    const { error } = attempt;
    const blowMs = this.chaos.blows.get(this.world.disk.locate(ref).descriptor) ?? Number.NEGATIVE_INFINITY;
    const isExcused = isDaemonError(error) && ((error.code === 'ended-before-ready' && blowMs >= beganMs) || error.code === 'not-found');
    if (isDaemonError(error)) this.seen.add(error.code);
    if (!isExcused) throw new Violation('verb', `a verb for ${ref.name} fails: ${error instanceof Error ? error.stack : error}`);
    return false;
  }

  /** When all is calm again, whatever has been left must neither be in the way of a start nor outlive a stop. */
  private async bringToOrder(ref: DaemonRef): Promise<void> {
    const actor = this.world.actor({ name: 'finale' });
    const machine = this.options.flaw?.(actor.machine) ?? actor.machine;
    await this.pass(50);
    await this.perform(actor, 'start', ref, { ...spec, command: ['steady'] });
    await this.pass(50);
    const view = await look(machine, ref);
    if (view.state !== 'running' || view.phase !== 'ready')
      throw new Violation('verb', `${ref.name} is ${view.state} after its last start`);
    await this.perform(actor, 'stop', ref, spec);
    if (this.processesOf(ref).length > 0) throw new Violation('verb', `something of ${ref.name} is left at the end`);
  }

  private processesOf(ref: DaemonRef) {
    const { descriptor } = this.world.disk.locate(ref);
    const all = [...this.world.kernel.spaces.values()].flatMap((space) => [...space.processes.values()]);
    return all.filter((process) => process.life === 'running' && process.origin?.descriptor === descriptor && isFindable(process));
  }

  private pass(ms: number): Promise<void> {
    return Promise.race([this.world.pass(ms), this.world.schedule.failure]);
  }

  private randomSpec(random: SeededRandom): DaemonSpec {
    const command = random.pick(['steady', 'steady', 'stubborn', 'family', 'speaking', 'slow']);
    const version = random.pick(['1.0.0', '1.0.0', '2.0.0']);
    return { ...spec, command: [command], version, ready: command === 'slow' ? { kind: 'notify' } : spec.ready };
  }

  private programs(): Record<string, (self: RunningProgram) => void> {
    return {
      steady: () => {},
      stubborn: (self) => self.ignore('SIGTERM'),
      family: (self) => {
        self.fork();
        self.fork({ placement: 'own-session', program: (child) => child.ignore('SIGTERM') });
        self.on('SIGTERM', () => {
          self.fork({ placement: 'own-group' });
          self.after(this.random.next() * 10, () => self.exit(0));
        });
      },
      speaking: (self) => self.after(1, () => self.listen({ answersAfterMs: 1 })),
      slow: (self) => self.after(this.random.next() * 30, () => self.notify()),
    };
  }

  private traceTo(tell: (line: string) => void): void {
    const { world } = this;
    world.onCall = ({ actor, call }, outcome) => {
      tell(`${world.schedule.nowMs.toFixed(2).padStart(9)} ${actor.name.padEnd(10)} ${call.padEnd(26)} ${brief(outcome)}`);
    };
  }
}

const spec: DaemonSpec = { ...specDefaults, command: ['steady'], cwd: '/', readyTimeoutMs: 400, graceMs: 40 };

function isOutcome(value: unknown): value is { outcome: string } {
  return typeof value === 'object' && value !== null && 'outcome' in value;
}

function brief(outcome: unknown): string {
  if (outcome instanceof Error) return `throws ${outcome.message}`;
  if (typeof outcome === 'object' && outcome !== null && 'identity' in outcome) return JSON.stringify(outcome.identity);
  return (JSON.stringify(outcome) ?? '').slice(0, 220);
}

import { SeededRandom } from '../../src/adapters/simulated/seeded-random.js';
import type { Attempt, SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import { type PortCall, SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';
import { type DaemonError, isDaemonError } from '../../src/domain/daemon-error.js';
import { type DaemonSpec, specDefaults } from '../../src/domain/daemon-spec.js';
import { ensureDaemon } from '../../src/domain/ensure-daemon.js';
import { listDaemons } from '../../src/domain/list-daemons.js';
import { type DaemonView, look } from '../../src/domain/look.js';
import type { DaemonRef, Machine } from '../../src/domain/ports.js';
import { restartDaemon } from '../../src/domain/restart-daemon.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { waitForDaemon } from '../../src/domain/wait-for-daemon.js';
import type { Coverage } from './coverage.js';
import { concerns } from './failures.js';
import { type Invariant, isFindable, judge, type Ledger, Violation } from './invariants.js';
import { befall, containerId } from './mishaps.js';
import { Plan } from './plan.js';
import { programs, readyOf } from './programs.js';
import type { Incident, Scenario, User, Verb, Watch } from './scenario.js';

/** Spoils one actor's machine, for a simulation that is to find it. */
export type Flaw = (machine: Machine, actor: SimulatedActor) => Machine;

export interface SimulationOptions {
  readonly flaw?: Flaw | undefined;
  readonly invariants?: readonly Invariant[] | undefined;
  readonly coverage?: Coverage | undefined;
  /** Told of each call. */
  readonly trace?: ((line: string) => void) | undefined;
}

export interface SimulationReport {
  readonly steps: number;
  /** How each verb came out, and in which state daemons were seen, for a proof that the schedules get about. */
  readonly seen: ReadonlySet<string>;
  readonly violation: Violation | undefined;
}

/** Plays one scenario on a machine that is judged after every step, up to the first violation. */
export async function simulate(scenario: Scenario, options: SimulationOptions = {}): Promise<SimulationReport> {
  const simulation = new Simulation(scenario, options);
  const { seen } = simulation;
  try {
    await simulation.run();
    return { steps: simulation.world.schedule.steps, seen, violation: undefined };
  } catch (error) {
    // A schedule that nobody ends, or in which everybody waits, is a violation too.
    const violation = error instanceof Violation ? error : new Violation('verb', (error as Error).stack ?? String(error));
    return { steps: simulation.world.schedule.steps, seen, violation };
  }
}

/** What a restarted container takes to come up, at least. */
const containerStartMs = 60;
/** Enough for a stop that has to kill and a start; a loop that nobody ends takes more. */
const finaleStepLimit = 3_000;

class Simulation {
  readonly world: SimulatedWorld;
  readonly seen = new Set<string>();
  private readonly ledger: Ledger;
  private readonly plans = new Map<SimulatedActor, Plan>();
  private readonly actors = new Map<number, SimulatedActor>();
  private readonly performances: Performance[] = [];
  /** Nothing happens by itself any more. */
  private isOver = false;

  constructor(
    private readonly scenario: Scenario,
    private readonly options: SimulationOptions,
  ) {
    const { seed } = scenario;
    this.world = new SimulatedWorld({ seed, ...scenario.world });
    const { coverage, invariants } = options;
    this.ledger = judge(this.world, invariants, coverage && (() => coverage.note(this.world)));
    this.world.faults = (call) => this.plans.get(call.actor)?.decide(call);
    const random = new SeededRandom(seed + 1);
    for (const [name, behaviour] of Object.entries(programs)) this.world.programs.set(name, (self) => behaviour(self, random));
    const { trace } = options;
    if (trace) this.world.onCall = (call, outcome) => trace(this.lineOf(call, outcome));
  }

  async run(): Promise<void> {
    const { users, incidents } = this.scenario;
    const lives: Promise<void>[] = [];
    for (const [number, user] of users.entries()) {
      const verbs = incidents.filter((incident) => incident.kind === 'verb' && incident.user === number) as Verb[];
      if (verbs.length > 0) lives.push(this.live(number, user, verbs));
    }
    for (const incident of incidents) if (incident.kind === 'watch') lives.push(this.watch(incident));
    for (const incident of incidents) this.schedule(incident);
    await Promise.all(lives);
    this.isOver = true;
    this.plans.clear();
    for (const name of namesIn(incidents)) await this.bringToOrder({ name });
  }

  private schedule(incident: Incident): void {
    if (incident.kind === 'verb' || incident.kind === 'watch') return;
    this.world.schedule.after(incident.atMs, () => {
      if (!this.isOver) befall(this.world, incident);
    });
  }

  private async live(number: number, user: User, verbs: readonly Verb[]): Promise<void> {
    for (const verb of verbs) {
      const leftMs = verb.atMs - this.world.schedule.nowMs;
      if (leftMs > 0) await this.pass(leftMs);
      const actor = await this.actorOf(number, user);
      await this.perform(actor, verb);
      if (verb.repeats && !actor.ended) await this.perform(actor, { ...verb, crash: undefined, failure: undefined });
    }
  }

  private async actorOf(number: number, user: User): Promise<SimulatedActor> {
    const { kernel } = this.world;
    const before = this.actors.get(number);
    if (user.embeds && before && !before.ended) return before;
    before?.crash();
    if (user.contained && !kernel.spaces.has(containerId)) {
      await this.pass(containerStartMs);
      if (!kernel.spaces.has(containerId)) kernel.addSpace(containerId, 'container-1');
    }
    const space = user.contained ? kernel.spaces.get(containerId) : undefined;
    const actor = this.world.actor({ name: `user-${number}`, uid: user.uid, ...(space ? { space } : {}) });
    this.actors.set(number, actor);
    return actor;
  }

  private async watch({ atMs, name, rounds, everyMs }: Watch): Promise<void> {
    await this.pass(atMs);
    const actor = this.world.actor({ name: 'watch' });
    const verb: Verb = { ...plainVerb, verb: 'start-again', name };
    for (let round = 0; round < rounds && !actor.ended; round++) {
      await this.pass(everyMs);
      const seen = await actor.attempt(() => look(this.machineOf(actor), { name }));
      if (seen.kind === 'returned' && seen.value.state === 'stale') await this.perform(actor, verb);
    }
  }

  private machineOf(actor: SimulatedActor): Machine {
    return this.options.flaw?.(actor.machine, actor) ?? actor.machine;
  }

  private async perform(actor: SimulatedActor, verb: Verb): Promise<void> {
    const done: Performance = {
      actor,
      verb,
      ref: { name: verb.name },
      beganMs: this.world.schedule.nowMs,
      plan: new Plan(verb, actor.calls),
    };
    this.plans.set(actor, done.plan);
    this.performances.push(done);
    const machine = this.machineOf(actor);
    const signal = this.abortAfter(verb.abortAfterMs);
    const { ref } = done;
    const spec = specOf(verb);
    this.options.trace?.(`${actor.name} begins to ${verb.verb} ${verb.name}`);
    switch (verb.verb) {
      case 'start':
        return this.judgeStart(done, await actor.attempt(() => startDaemon(machine, { ref, spec, signal })));
      case 'start-again':
        return this.judgeStart(done, await actor.attempt(() => startDaemon(machine, { ref, signal })));
      case 'ensure':
        return this.judgeStart(done, await actor.attempt(() => ensureDaemon(machine, { ref, spec, signal })));
      case 'restart':
        return this.judgeStart(done, await actor.attempt(() => restartDaemon(machine, { ref, signal })));
      case 'stop':
        return this.judgeStop(done, await actor.attempt(() => stopDaemon(machine, { ref, signal })));
      case 'list':
        return this.judgeList(done, await actor.attempt(() => listDaemons(machine)));
      case 'wait':
        await this.judgeWait(done, await actor.attempt(() => waitForDaemon(machine, { ref, until: 'ready', timeoutMs: 60, signal })));
    }
  }

  private abortAfter(ms: number | undefined): AbortSignal | undefined {
    if (ms === undefined) return undefined;
    const controller = new AbortController();
    this.world.schedule.after(ms, () => controller.abort());
    return controller.signal;
  }

  /** Whoever starts, is answered with an instance that ran, and that neither was dead nor was being ended before. */
  private judgeStart(done: Performance, attempt: Attempt<{ descriptor: { instanceId: string } }>): void {
    if (!this.insistOnSuccess(done, attempt)) return;
    const { instanceId } = attempt.value.descriptor;
    const { ran, signalled, ended } = this.ledger;
    const { name } = done.ref;
    if (!ran.has(instanceId)) this.accuse(`a start of ${name} answers with ${instanceId}, which never ran`);
    const lastMs = Math.min(signalled.get(instanceId) ?? Number.POSITIVE_INFINITY, ended.get(instanceId) ?? Number.POSITIVE_INFINITY);
    if (lastMs < done.beganMs && !this.wasLeftUnsaid(name))
      this.accuse(`a start of ${name} answers with ${instanceId}, which was ending at ${lastMs.toFixed(2)} ms`);
  }

  /** On a disk that takes no writes, a daemon is ended all the same, and nobody learns of it before it is gone. */
  private wasLeftUnsaid(name: string): boolean {
    return this.performances.some(
      ({ ref, plan, verb: { failure } }) => ref.name === name && plan.hasFailed && failure && concerns(failure, 'descriptors.write'),
    );
  }

  /** Of what ran before a stop, nothing does after it. */
  private judgeStop(done: Performance, attempt: Attempt<unknown>): void {
    if (!this.insistOnSuccess(done, attempt)) return;
    for (const process of this.processesOf(done.ref)) {
      const ranMs = this.ledger.ran.get(process.origin?.instanceId ?? '') ?? Number.POSITIVE_INFINITY;
      if (ranMs < done.beganMs) this.accuse(`pid ${process.pid} of ${process.origin?.instanceId} outlives a stop of ${done.ref.name}`);
    }
  }

  private judgeList(done: Performance, attempt: Attempt<readonly DaemonView[]>): void {
    if (!this.insistOnSuccess(done, attempt)) return;
    for (const { reason, phase } of attempt.value) this.seen.add(reason).add(`phase ${phase}`);
  }

  private judgeWait(done: Performance, attempt: Attempt<DaemonView>): void {
    if (this.insistOnSuccess(done, attempt) && attempt.value.phase !== 'ready')
      this.accuse(`a wait for ${done.ref.name} answers with ${attempt.value.phase}`);
  }

  private insistOnSuccess<T>(done: Performance, attempt: Attempt<T>): attempt is { kind: 'returned'; value: T } {
    if (attempt.kind === 'crashed') this.seen.add('crashed');
    if (attempt.kind === 'returned' && isOutcome(attempt.value)) this.seen.add(attempt.value.outcome);
    if (attempt.kind !== 'threw') return attempt.kind === 'returned';
    const { error } = attempt;
    const what = `${done.verb.verb} ${done.ref.name}`;
    if (isDaemonError(error)) {
      this.seen.add(error.code);
      if (!this.isExcused(done, error)) this.accuse(`${what} fails: ${error.code}: ${error.message}`);
    } else {
      this.accuse(`${what} breaks: ${(error as Error).stack ?? error}`);
    }
    return false;
  }

  private isExcused({ actor, verb, ref, beganMs, plan }: Performance, { code }: DaemonError): boolean {
    if (plan.hasFailed) return true;
    const { users, world } = this.scenario;
    switch (code) {
      case 'not-found':
        return verb.verb === 'restart';
      case 'no-remembered-spec':
        return verb.verb === 'start-again';
      case 'wait-timeout':
        return verb.verb === 'wait';
      case 'cancelled':
        return verb.abortAfterMs !== undefined;
      case 'ended-before-ready':
        return (this.ledger.lastEnd.get(this.world.disk.locate(ref).descriptor) ?? Number.NEGATIVE_INFINITY) >= beganMs;
      case 'ready-timeout':
        // A starter that was suspended may have missed the moment.
        return this.scenario.incidents.some(
          (other) => other.kind === 'verb' && other.name === ref.name && readyOf(other.program).kind !== 'exec',
        );
      case 'unknown-daemon':
        return users.some(({ contained }) => contained) || (world.hidesOthers === true && actor.process.uid !== 0);
      case 'not-permitted':
        return actor.process.uid !== 0 && users.some(({ uid }) => uid === 0);
      default:
        return false;
    }
  }

  /** When all is calm again, whatever has been left must neither be in the way of a start nor outlive a stop. */
  private async bringToOrder(ref: DaemonRef): Promise<void> {
    const { schedule, kernel } = this.world;
    const actor = this.world.actor({ name: 'finale', uid: this.scenario.users.some(({ uid }) => uid === 0) ? 0 : 1000 });
    const machine = this.machineOf(actor);
    const verb: Verb = { ...plainVerb, name: ref.name };
    if (kernel.spaces.has(containerId)) kernel.removeSpace(containerId);
    await this.pass(50);
    const before = schedule.steps;
    // The record of a container that went down with the whole machine can't be judged: somebody has to say so.
    if ((await look(machine, ref)).state === 'unknown') await startDaemon(machine, { ref, spec: specOf(verb), force: true });
    for (const one of ['stop', 'start'] as const) await this.perform(actor, { ...verb, verb: one });
    await this.pass(20);
    const view = await look(machine, ref);
    if (view.state !== 'running' || view.phase !== 'ready') this.accuse(`${ref.name} is ${view.state} after its last start`);
    await this.perform(actor, { ...verb, verb: 'stop' });
    if (this.processesOf(ref).length > 0) this.accuse(`something of ${ref.name} is left at the end`);
    const steps = schedule.steps - before;
    if (steps > finaleStepLimit) this.accuse(`a stop and a start of ${ref.name} take ${steps} steps`);
  }

  private accuse(message: string): void {
    if (this.options.invariants?.includes('verb') ?? true) throw new Violation('verb', message);
  }

  private processesOf(ref: DaemonRef): readonly SimulatedProcess[] {
    const { descriptor } = this.world.disk.locate(ref);
    const found: SimulatedProcess[] = [];
    for (const { processes } of this.world.kernel.spaces.values())
      for (const process of processes.values())
        if (process.life === 'running' && process.origin?.descriptor === descriptor && isFindable(process)) found.push(process);
    return found;
  }

  private pass(ms: number): Promise<void> {
    return Promise.race([this.world.pass(ms), this.world.schedule.failure]);
  }

  private lineOf({ actor, call }: PortCall, outcome: unknown): string {
    return `${this.world.schedule.nowMs.toFixed(2).padStart(9)} ${actor.name.padEnd(7)} ${call.padEnd(24)} ${brief(outcome)}`.trimEnd();
  }
}

/** One verb of one actor, as it was begun. */
interface Performance {
  readonly actor: SimulatedActor;
  readonly verb: Verb;
  readonly ref: DaemonRef;
  readonly beganMs: number;
  readonly plan: Plan;
}

const plainVerb: Verb = {
  kind: 'verb',
  atMs: 0,
  user: 0,
  verb: 'start',
  name: 'web',
  program: 'steady',
  version: '1.0.0',
  repeats: false,
};

const specs = new Map<string, DaemonSpec>();

function specOf({ program, version }: Verb): DaemonSpec {
  const key = `${program} ${version}`;
  const spec = specs.get(key) ?? {
    ...specDefaults,
    command: [program],
    cwd: '/',
    readyTimeoutMs: 400,
    graceMs: 40,
    version,
    ready: readyOf(program),
  };
  specs.set(key, spec);
  return spec;
}

function namesIn(incidents: readonly Incident[]): ReadonlySet<string> {
  return new Set(incidents.flatMap((incident) => (incident.kind === 'verb' || incident.kind === 'watch' ? [incident.name] : [])));
}

function isOutcome(value: unknown): value is { outcome: string } {
  return typeof value === 'object' && value !== null && 'outcome' in value;
}

function brief(outcome: unknown): string {
  if (outcome instanceof Error) return `throws ${outcome.message}`;
  if (typeof outcome === 'object' && outcome !== null && 'identity' in outcome) return JSON.stringify(outcome.identity);
  return (JSON.stringify(outcome) ?? '').slice(0, 160);
}

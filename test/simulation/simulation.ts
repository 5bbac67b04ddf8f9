import type { RunningProgram } from '../../src/adapters/simulated/program.js';
import { SeededRandom } from '../../src/adapters/simulated/seeded-random.js';
import type { Attempt, SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { DaemonFolder } from '../../src/adapters/simulated/simulated-disk.js';
import type { SupervisorPeer } from '../../src/adapters/simulated/simulated-network.js';
import type { SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import { SimulatedSupervisorChannel } from '../../src/adapters/simulated/simulated-supervisor-channel.js';
import { type PortCall, SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';
import { DaemonError, isDaemonError } from '../../src/domain/daemon-error.js';
import { supervisorName } from '../../src/domain/daemon-name.js';
import { type DaemonSpec, specDefaults } from '../../src/domain/daemon-spec.js';
import {
  type DelegatedVerb,
  ensureByPolicy,
  restartByPolicy,
  reviveSupervisor,
  type SupervisedMachine,
  startByPolicy,
} from '../../src/domain/delegate.js';
import { ensureDaemon } from '../../src/domain/ensure-daemon.js';
import type { HealthCheck } from '../../src/domain/health-check.js';
import { listDaemons } from '../../src/domain/list-daemons.js';
import { type DaemonView, look } from '../../src/domain/look.js';
import type { DaemonRef, SupervisingMachine } from '../../src/domain/ports.js';
import { restartDaemon } from '../../src/domain/restart-daemon.js';
import { type StartRequest, type StartResult, startDaemon } from '../../src/domain/start-daemon.js';
import { type StopResult, stopDaemon } from '../../src/domain/stop-daemon.js';
import { Supervisor } from '../../src/domain/supervisor.js';
import { waitForDaemon } from '../../src/domain/wait-for-daemon.js';
import type { Coverage } from './coverage.js';
import { concerns } from './failures.js';
import { type Invariant, isFindable, judge, type Ledger, Violation } from './invariants.js';
import { befall, containerId } from './mishaps.js';
import { Plan } from './plan.js';
import { healthPort, programs, readyOf } from './programs.js';
import type { Incident, Scenario, SupervisorArrival, SupervisorTrouble, Trouble, User, Verb, VerbName } from './scenario.js';
import { SupervisionJudge } from './supervision.js';

/** Spoils one actor's machine, for a simulation that is to find it. */
export type Flaw = (machine: SupervisingMachine, actor: SimulatedActor) => SupervisingMachine;

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
  } finally {
    simulation.world.schedule.end();
  }
}

/** What a restarted container takes to come up, at least. */
const containerStartMs = 60;
/** Enough for a stop that has to kill and a start; a loop that nobody ends takes more. */
const finaleStepLimit = 3_000;
/** After that, whoever had trouble has tried again. */
const longestTroubleMs = 1_500;
/** How often, and how long apart, it is looked at whether anything is done about a daemon. */
const calmRounds = 40;
const calmRoundMs = 20;
const startingVerbs: readonly VerbName[] = ['start', 'start-again', 'restart', 'ensure'];
const supervisorRef: DaemonRef = { name: supervisorName };
const supervisorSpec: DaemonSpec = {
  ...specDefaults,
  command: ['supervisor'],
  cwd: '/',
  ready: { kind: 'socket' },
  readyTimeoutMs: 400,
  graceMs: 40,
};

class Simulation {
  readonly world: SimulatedWorld;
  readonly seen = new Set<string>();
  private readonly ledger: Ledger;
  private readonly plans = new Map<SimulatedActor, Plan>();
  private readonly actors = new Map<number, SimulatedActor>();
  private readonly performances: Performance[] = [];
  private readonly judgement: SupervisionJudge;
  /** What waits for the next supervisor. */
  private readonly troubles: SupervisorTrouble[] = [];
  private readonly supervisorPlans: Plan[] = [];
  /** Supervisors take part. */
  private readonly isSupervised: boolean;
  /** Nothing happens by itself any more. */
  private isOver = false;

  constructor(
    private readonly scenario: Scenario,
    private readonly options: SimulationOptions,
  ) {
    const { seed } = scenario;
    this.world = new SimulatedWorld({ seed, ...scenario.world });
    const { coverage, invariants } = options;
    this.isSupervised = scenario.incidents.some(
      (incident) =>
        incident.kind === 'supervisor' || (incident.kind === 'verb' && (incident.restart !== 'never' || incident.verb === 'revive')),
    );
    this.judgement = new SupervisionJudge(this.world, (invariant, message) => this.accuseOf(invariant, message));
    this.ledger = judge(this.world, invariants, () => {
      if (this.isSupervised) this.judgement.look(this.ledger);
      coverage?.note(this.world);
    });
    this.world.faults = (call) => this.plans.get(call.actor)?.decide(call);
    const random = new SeededRandom(seed + 1);
    for (const [name, behaviour] of Object.entries(programs)) this.world.programs.set(name, (self) => behaviour(self, random));
    this.world.programs.set('supervisor', (self) => this.serve(self));
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
    for (const incident of incidents) if (incident.kind === 'supervisor') lives.push(this.arrive(incident));
    for (const incident of incidents) this.schedule(incident);
    await Promise.all(lives);
    this.isOver = true;
    this.plans.clear();
    this.troubles.length = 0;
    if (this.isSupervised) await this.insistOnKeeping();
    for (const name of namesIn(incidents)) await this.bringToOrder({ name });
  }

  private schedule(incident: Incident): void {
    if (incident.kind === 'verb' || incident.kind === 'supervisor') return;
    this.world.schedule.after(incident.atMs, () => {
      if (this.isOver) return;
      if (incident.kind === 'trouble') this.makeTrouble(incident);
      else befall(this.world, incident);
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

  /** What the daemon named `supervisor` runs. */
  private serve(self: RunningProgram): void {
    const { process } = self;
    const { marks } = process;
    if (!marks) return;
    const actor = this.world.actor({ name: 'supervisor', process });
    this.trouble(actor, this.troubles.shift() ?? {});
    const supervisor = this.supervise(actor, marks.instanceId);
    const peer = { instanceId: marks.instanceId, name: marks.name, version: null, isBusy: false, answersAfterMs: 0 };
    const shutdown = () => {
      supervisor.leave();
      self.endCleanly();
    };
    const perform: SupervisorPeer = (verb, request) => this.performFor(supervisor, actor, verb, request);
    this.world.network.listen(marks.socket, { process, control: { ...peer, shutdown }, perform });
    actor.attempt(() => supervisor.takeOver()).catch(() => {});
  }

  private async arrive(arrival: SupervisorArrival): Promise<void> {
    await this.pass(arrival.atMs);
    const actor = this.world.actor({ name: 'other' });
    this.trouble(actor, arrival);
    const supervisor = this.supervise(actor, this.world.schedule.random.hex(16));
    await actor.attempt(() => supervisor.takeOver());
    if (arrival.leavesAfterMs === undefined) return;
    await this.pass(arrival.leavesAfterMs);
    if (actor.ended) return;
    supervisor.leave();
    // Its program has nothing else to do.
    await this.pass(1);
    actor.crash();
  }

  private supervise(actor: SimulatedActor, instanceId: string): Supervisor {
    this.world.schedule.isPatient = true;
    const { pid, startToken } = actor.identity;
    const events = {
      say: (name: string, what: string) => this.options.trace?.(`${actor.name} says: ${name} ${what}`),
      kept: () => {},
    };
    const supervisor = new Supervisor(this.machineOf(actor), { pid, startToken, instanceId }, events);
    this.judgement.supervisors.set(supervisor, actor);
    return supervisor;
  }

  private async performFor(
    supervisor: Supervisor,
    actor: SimulatedActor,
    verb: DelegatedVerb,
    request: StartRequest,
  ): Promise<StartResult> {
    const starting = this.judgement.beginStarting(request.ref.name);
    actor.process.onEnd(() => this.judgement.endStarting(starting));
    const run = () => {
      switch (verb) {
        case 'start':
          return supervisor.start(request);
        case 'restart':
          return supervisor.restart(request);
        case 'ensure':
          return supervisor.ensure({ ...request, spec: request.spec as DaemonSpec });
      }
    };
    const attempt = await actor.attempt(run);
    this.judgement.endStarting(starting);
    if (attempt.kind === 'returned') return attempt.value;
    throw attempt.kind === 'threw' ? attempt.error : new DaemonError('not-serving', 'the supervisor is gone');
  }

  private trouble(supervisor: SimulatedActor, trouble: Trouble): void {
    const plan = new Plan({ ...trouble, name: 'web' }, supervisor.calls);
    this.plans.set(supervisor, plan);
    this.supervisorPlans.push(plan);
  }

  private makeTrouble(trouble: SupervisorTrouble): void {
    const living = [...this.judgement.supervisors.values()].filter(({ ended }) => !ended) as SimulatedActor[];
    if (living.length === 0) this.troubles.push(trouble);
    for (const actor of living) {
      if (trouble.crash || trouble.stall || trouble.failure) this.trouble(actor, trouble);
      else actor.crash();
    }
  }

  private machineOf(actor: SimulatedActor): SupervisingMachine {
    return this.options.flaw?.(actor.machine, actor) ?? actor.machine;
  }

  private supervisedMachineOf(actor: SimulatedActor): SupervisedMachine {
    return { ...this.machineOf(actor), supervisorSpec, supervisor: new SimulatedSupervisorChannel(actor) };
  }

  private async perform(actor: SimulatedActor, verb: Verb): Promise<void> {
    const done: Performance = {
      actor,
      verb,
      ref: { name: verb.name },
      beganMs: this.world.schedule.nowMs,
      endedMs: Number.POSITIVE_INFINITY,
      started: false,
      plan: new Plan(verb, actor.calls),
    };
    this.plans.set(actor, done.plan);
    this.performances.push(done);
    const signal = this.abortAfter(verb.abortAfterMs);
    this.options.trace?.(`${actor.name} begins to ${verb.verb} ${verb.name}`);
    if (!startingVerbs.includes(verb.verb)) return this.performOther(done, signal);
    const starting = this.judgement.beginStarting(verb.name);
    actor.process.onEnd(() => this.judgement.endStarting(starting));
    this.judgeStart(done, await actor.attempt(() => this.startBy(done, signal)));
    this.judgement.endStarting(starting);
  }

  /** Where no supervisor takes part, none is looked for. */
  private startBy({ actor, verb, ref }: Performance, signal: AbortSignal | undefined): Promise<StartResult> {
    const machine = this.supervisedMachineOf(actor);
    const spec = specOf(verb);
    switch (verb.verb) {
      case 'restart':
        return this.isSupervised ? restartByPolicy(machine, { ref, signal }) : restartDaemon(machine, { ref, signal });
      case 'ensure':
        return this.isSupervised ? ensureByPolicy(machine, { ref, spec, signal }) : ensureDaemon(machine, { ref, spec, signal });
      default: {
        const request = verb.verb === 'start' ? { ref, spec, signal } : { ref, signal };
        return this.isSupervised ? startByPolicy(machine, request) : startDaemon(machine, request);
      }
    }
  }

  private async performOther(done: Performance, signal: AbortSignal | undefined): Promise<void> {
    const { actor, verb, ref } = done;
    const machine = this.machineOf(actor);
    switch (verb.verb) {
      case 'stop':
        return this.judgeStop(done, await actor.attempt(() => stopDaemon(machine, { ref, signal })));
      case 'list':
        return this.judgeList(done, await actor.attempt(() => listDaemons(machine)));
      case 'wait':
        return this.judgeWait(done, await actor.attempt(() => waitForDaemon(machine, { ref, until: 'ready', timeoutMs: 60, signal })));
      case 'revive':
        this.insistOnSuccess(done, await actor.attempt(() => reviveSupervisor(this.supervisedMachineOf(actor))));
    }
  }

  private abortAfter(ms: number | undefined): AbortSignal | undefined {
    if (ms === undefined) return undefined;
    const controller = new AbortController();
    this.world.schedule.after(ms, () => controller.abort());
    return controller.signal;
  }

  /** Whoever starts, is answered with an instance that ran, and that neither was dead nor was being ended before. */
  private judgeStart(done: Performance, attempt: Attempt<StartResult>): void {
    if (!this.insistOnSuccess(done, attempt)) return;
    done.started = attempt.value.outcome !== 'already-running';
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
  private judgeStop(done: Performance, attempt: Attempt<StopResult>): void {
    if (!this.insistOnSuccess(done, attempt)) return;
    // It has found nothing to stop at some moment, and was perhaps held up since.
    this.judgement.noteStop(done.ref.name, attempt.value.outcome === 'already-stopped' ? done.beganMs : this.world.schedule.nowMs);
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
    done.endedMs = this.world.schedule.nowMs;
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
    if (plan.hasFailed || this.supervisorPlans.some(({ hasFailed }) => hasFailed)) return true;
    const { users, world } = this.scenario;
    // What root asks for, a supervisor of another user may do.
    const mayBeAnothers = actor.process.uid !== 0 || this.isSupervised;
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
        return this.hasEndedSince(ref, beganMs) || this.hasEndedSince(supervisorRef, beganMs);
      case 'not-serving':
        return this.hasEndedSince(supervisorRef, beganMs);
      case 'ready-timeout':
        // A starter that was suspended may have missed the moment.
        return this.scenario.incidents.some(
          (other) => other.kind === 'verb' && other.name === ref.name && readyOf(other.program).kind !== 'exec',
        );
      case 'unknown-daemon':
        return users.some(({ contained }) => contained) || (world.hidesOthers === true && mayBeAnothers);
      case 'not-permitted':
        return mayBeAnothers && users.some(({ uid }) => uid === 0);
      default:
        return false;
    }
  }

  /** What is to be kept, is: by whoever supervises it, or by the next who comes. */
  private async insistOnKeeping(): Promise<void> {
    if (this.scenario.users.some(({ contained, uid }) => contained || uid === 0)) return;
    await this.pass(longestTroubleMs);
    const rescuer = this.world.actor({ name: 'rescuer' });
    const supervisor = this.supervise(rescuer, this.world.schedule.random.hex(16));
    const rescue = await rescuer.attempt(() => supervisor.takeOver());
    if (rescue.kind === 'threw') this.accuseOf('never-forgotten', `a supervisor can't take over: ${rescue.error}`);
    const before = new Map([...this.world.disk.folders].map((folder) => [folder, progressOf(folder)]));
    const dormant = new Set(before.keys());
    for (let round = 0; round < calmRounds && dormant.size > 0; round++) {
      for (const folder of dormant) if (!this.isDormant(folder, before.get(folder))) dormant.delete(folder);
      await this.pass(calmRoundMs);
    }
    for (const { name } of dormant) this.accuseOf('never-forgotten', `${name} is to be kept running, and nobody does`);
    for (const name of namesIn(this.scenario.incidents)) this.insistOnRecord(name);
  }

  /** Not running, and nothing is done about it. */
  private isDormant(folder: DaemonFolder, before: string | undefined): boolean {
    const { record, spec } = folder;
    if (record.kind !== 'present' || spec === undefined || spec.restart === 'never' || record.descriptor.supervisedBy === null)
      return false;
    if (record.descriptor.phase === 'failed' || record.descriptor.phase === 'stopping' || progressOf(folder) !== before) return false;
    // A start that failed: whoever asked for it has been told.
    if (record.descriptor.phase === 'starting' && (record.descriptor.history?.restarts ?? 0) === 0) return false;
    const leader = this.world.findProcess(record.descriptor);
    return leader?.isAlive !== true || record.descriptor.phase === 'backoff';
  }

  /** Where all is plain: the last who did anything started it, to be restarted always. */
  private insistOnRecord(name: string): void {
    const verbs = this.performances.filter(
      ({ ref, verb }) => ref.name === name && (verb.verb === 'stop' || startingVerbs.includes(verb.verb)),
    );
    const last = verbs.reduce<Performance | undefined>((a, b) => (a && a.beganMs > b.beganMs ? a : b), undefined);
    if (
      !last?.started ||
      (last.verb.verb !== 'start' && last.verb.verb !== 'ensure') ||
      last.verb.restart !== 'always' ||
      verbs.some((one) => one !== last && one.endedMs > last.beganMs)
    )
      return;
    if (this.world.disk.locate({ name }).record.kind === 'absent')
      this.accuseOf('never-forgotten', `${name} was started, to be kept running, and nothing is left of it`);
  }

  private hasEndedSince(ref: DaemonRef, sinceMs: number): boolean {
    return (this.ledger.lastEnd.get(this.world.disk.locate(ref).descriptor) ?? Number.NEGATIVE_INFINITY) >= sinceMs;
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
    this.accuseOf('verb', message);
  }

  private accuseOf(invariant: Invariant, message: string): void {
    if (this.options.invariants?.includes(invariant) ?? true)
      throw new Violation(invariant, `${message} (at ${this.world.schedule.nowMs.toFixed(2)} ms)`);
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
  endedMs: number;
  readonly plan: Plan;
  /** It has started an instance, and said so. */
  started: boolean;
}

const plainVerb: Verb = {
  kind: 'verb',
  atMs: 0,
  user: 0,
  verb: 'start',
  name: 'web',
  program: 'steady',
  version: '1.0.0',
  restart: 'never',
  repeats: false,
};

const specs = new Map<string, DaemonSpec>();

function specOf({ program, version, restart }: Verb): DaemonSpec {
  const key = `${program} ${version} ${restart}`;
  const spec = specs.get(key) ?? {
    ...specDefaults,
    command: [program],
    cwd: '/',
    readyTimeoutMs: 400,
    graceMs: 40,
    version,
    // Another program of the same version is a daemon that is defined otherwise. Not a supervised one: none would live to loop.
    ...(restart === 'never' ? { fingerprint: program } : {}),
    ready: readyOf(program),
    restart,
    restartDelayMs: 4,
    restartMaxDelayMs: 30,
    restartLimit: 4,
    stableMs: 50,
    health: restart !== 'never' && program === 'ailing' ? healthOf(healthPort) : null,
  };
  specs.set(key, spec);
  return spec;
}

function healthOf(port: number): HealthCheck {
  return { probe: { kind: 'port', port }, intervalMs: 5, timeoutMs: 5, threshold: 2, startGraceMs: 5 };
}

/** What of a daemon changes with each run, and each attempt at one. */
function progressOf({ record }: DaemonFolder): string {
  return record.kind === 'present'
    ? `${record.descriptor.instanceId} ${record.descriptor.history?.restarts} ${record.descriptor.phase}`
    : '';
}

function namesIn(incidents: readonly Incident[]): ReadonlySet<string> {
  return new Set(incidents.flatMap((incident) => (incident.kind === 'verb' ? [incident.name] : [])));
}

function isOutcome(value: unknown): value is { outcome: string } {
  return typeof value === 'object' && value !== null && 'outcome' in value;
}

function brief(outcome: unknown): string {
  if (outcome instanceof Error) return `throws ${outcome.message}`;
  if (typeof outcome === 'object' && outcome !== null && 'identity' in outcome) return JSON.stringify(outcome.identity);
  return (JSON.stringify(outcome) ?? '').slice(0, 160);
}

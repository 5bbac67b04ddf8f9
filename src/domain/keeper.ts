import { awaitReadiness } from './await-readiness.js';
import type { BoundedLog } from './bound-logs.js';
import { isDaemonError } from './daemon-error.js';
import type { DaemonSpec } from './daemon-spec.js';
import { type Descriptor, type RestartHistory, type SupervisorReference, sameInstance } from './descriptor.js';
import { endFormer, endLeftovers } from './end-instance.js';
import { endRecorded, recordPhase } from './end-recorded.js';
import type { HealthCheck } from './health-check.js';
import { isDead } from './identity.js';
import { type Launched, launchDaemon } from './launch-daemon.js';
import { type DaemonView, sight } from './look.js';
import type { DaemonRef, Environment, HeldLock, Launch, ProcessEnd, SupervisingMachine } from './ports.js';
import { recordRun, sawMemoryKill } from './record-run.js';
import { decideRestart, delayOfLast, freshHistory, isSuccess, luckOf, type RestartDecision, type RunEnd } from './restart-policy.js';
import type { RunCause } from './run-record.js';
import { cleanUp, clearForGood, endAndClear, lockWait, lookHeld, settleQuietly, underLock } from './under-lock.js';
import { watchHealth } from './watch-health.js';

/** A daemon, as its supervisor knows it. */
export interface Kept {
  readonly ref: DaemonRef;
  readonly spec: DaemonSpec;
  readonly descriptor: Descriptor;
  /** Of whoever wanted it started; what the supervisor itself has where that is not known any more. */
  readonly environment: Environment | undefined;
  /** Of a child of this process; others are watched by their identity. */
  readonly ended: Launch['ended'] | undefined;
  /** When it was started, by the monotonic clock. */
  readonly sinceMs: number;
}

export interface KeeperEvents {
  /** In a few words, for the supervisor's own log. */
  say(name: string, what: string): void;
  /** It is kept no longer, by what its policy decided. */
  concluded?(name: string, how: 'well' | 'badly' | 'given-up'): void;
}

/** How often a process that is not our child is looked at. */
const watchPollMs = 50;
/** After a failure of the machine's own: a full disk, a lock that is held for long. */
const troublePauseMs = 1_000;
/** What a process had that was killed for want of memory is freed a little later: a spawn before that may have the kernel kill us next. */
const memoryPauseMs = 250;

/** Running: it is to be watched. Over: not ours to keep any more. Else, how long until the next attempt. */
type Step = 'running' | 'over' | { readonly waitMs: number };

/** How a run ended, as far as we know. */
interface Ended {
  readonly end: RunEnd;
  readonly ranMs: number;
}

/** What the flight recorder is still to be told. */
interface Untold extends Pick<Ended, 'end'> {
  readonly descriptor: Descriptor;
  readonly decision: Pick<RestartDecision, 'action' | 'why'>;
}

/** What is on record after a decision, until the next run's own record. */
const phaseAfter = { restart: 'backoff', 'give-up': 'failed', accept: 'stopping' } as const;

/**
 * Keeps one daemon running: waits for its end, and does what the policy says. Whatever is decided is decided under the
 * daemon's lock, from its record: one that somebody has stopped, or started anew, is not ours any more. All of its memory
 * is in that record, so that a supervisor that is killed is missed by nobody.
 */
export class Keeper {
  private readonly leaving = new AbortController();
  /** The instance of whose former run nothing is left. */
  private tidied: string | undefined;
  private last: Ended = { end: { kind: 'unknown' }, ranMs: 0 };
  private untold: Untold | undefined;
  /** False for one that was found between two runs. */
  private hasWaited = true;

  constructor(
    private readonly machine: SupervisingMachine,
    private readonly self: SupervisorReference,
    private kept: Kept,
    private readonly events: KeeperEvents,
  ) {}

  get ref(): DaemonRef {
    return this.kept.ref;
  }

  get descriptor(): Descriptor {
    return this.kept.descriptor;
  }

  get log(): BoundedLog {
    const { ref, spec, descriptor } = this.kept;
    return { path: descriptor.log, target: { ref, file: spec.log, maxBytes: spec.logMaxBytes, keep: spec.logKeep } };
  }

  /** Keeps it no longer, and leaves it as it is. */
  leave(): void {
    this.leaving.abort();
  }

  /** From now on, what is remembered of it. Its running instance keeps the rest. */
  follow(spec: DaemonSpec): void {
    this.kept = { ...this.kept, spec };
  }

  /** Resolves when it is not ours to keep any more. `isFound`: it was another's, and is in any state. */
  async run(isFound = false): Promise<void> {
    this.hasWaited = !isFound;
    let end: RunEnd | undefined = isFound ? { kind: 'unknown' } : await this.untilOver();
    while (end !== undefined && (await this.carryOn(end))) end = await this.untilOver();
  }

  /** How the run ended; `undefined` where we leave. */
  private async untilOver(): Promise<RunEnd | undefined> {
    const { leaving } = this;
    const { health } = this.kept.spec;
    return health ? this.untilOverOrUnwell(health) : this.seenEnd(leaving.signal);
  }

  private async untilOverOrUnwell(health: HealthCheck): Promise<RunEnd | undefined> {
    const { machine, leaving } = this;
    const watching = new AbortController();
    const stopWatching = () => watching.abort();
    leaving.signal.addEventListener('abort', stopWatching);
    if (leaving.signal.aborted) stopWatching();
    const isUnhealthy = watchHealth(machine, health, await this.healthSubject(), watching.signal).then((unhealthy) => {
      if (unhealthy) stopWatching();
      return unhealthy;
    });
    const end = await this.seenEnd(watching.signal);
    stopWatching();
    leaving.signal.removeEventListener('abort', stopWatching);
    if (end !== undefined) return end;
    return (await isUnhealthy) ? { kind: 'unhealthy' } : undefined;
  }

  private async seenEnd(signal: AbortSignal): Promise<RunEnd | undefined> {
    const { ended } = this.kept;
    const seen = ended ? await ended(signal) : await this.watch(signal);
    return seen && runEndOf(seen);
  }

  /** Of one that is not our child, only that it has ended can be seen. */
  private async watch(signal: AbortSignal): Promise<ProcessEnd | undefined> {
    const { backgroundClock, inspector } = this.machine;
    while (!signal.aborted) {
      if (isDead(await sight(inspector, this.kept.descriptor))) return { exitCode: null, signal: null };
      await backgroundClock.sleep(watchPollMs, signal);
    }
    return undefined;
  }

  private async healthSubject() {
    const { spec, descriptor, environment } = this.kept;
    const { pid, socket, instanceId } = descriptor;
    const subject = { pid, socket, instanceId, cwd: spec.cwd };
    try {
      return { ...subject, environment: (await this.machine.spawner.resolve(spec, environment)).env };
    } catch {
      // Its command, or a file of variables, has gone since.
      return { ...subject, environment: { ...environment, ...spec.env } };
    }
  }

  /** Until there is a run to be watched, or it is not ours any more: false then. */
  private async carryOn(end: RunEnd): Promise<boolean> {
    // Before the wait for the lock, which is no part of the run.
    this.last = { end, ranMs: this.machine.clock.monotonicMs() - this.kept.sinceMs };
    let step = await this.underItsLock((held) => this.goOn(held));
    while (typeof step === 'object') {
      await this.machine.backgroundClock.sleep(step.waitMs, this.leaving.signal);
      step = await this.underItsLock((held) => this.goOn(held));
    }
    return step === 'running';
  }

  /** Trouble of the machine's own does not end the keeping: it is tried again for as long as we are here. */
  private async underItsLock(work: (held: HeldLock) => Promise<Step>): Promise<Step> {
    const { ref, spec } = this.kept;
    while (!this.leaving.signal.aborted) {
      try {
        return await underLock(this.machine, ref, lockWait(spec, this.leaving.signal), work);
      } catch (error) {
        if (!isDaemonError(error)) throw error;
        if (error.code !== 'cancelled') this.events.say(ref.name, error.message);
        await this.machine.backgroundClock.sleep(troublePauseMs, this.leaving.signal);
      }
    }
    return 'over';
  }

  /** The next step from whatever the record says, which tells also what we, or another supervisor, had decided and not done. */
  private async goOn(held: HeldLock): Promise<Step> {
    const { machine, leaving } = this;
    if (leaving.signal.aborted) return 'over';
    const view = await lookHeld(machine, held);
    const { descriptor } = view;
    if (!descriptor || !this.isOurs(view)) return 'over';
    this.recognize(descriptor);
    switch (descriptor.phase) {
      case 'stopping':
        return this.carryStopThrough(held, view);
      case 'failed':
        if (view.state === 'running') await endRecorded(machine, held, descriptor, descriptor.stop.graceMs, 'failed');
        return 'over';
      case 'backoff':
        if (view.state === 'running') await endRecorded(machine, held, descriptor, descriptor.stop.graceMs, 'backoff');
        if (!this.hasWaited) return this.waitAnew(held, descriptor);
        return this.relaunch(held, descriptor, historyOf(descriptor));
      default:
        return view.state === 'running' && this.last.end.kind === 'unknown' ? this.settle(held, view) : this.react(held, view);
    }
  }

  /** For another supervisor's restart: how much of its time had passed is not known. */
  private async waitAnew(held: HeldLock, descriptor: Descriptor): Promise<Step> {
    this.hasWaited = true;
    const cause = (await sawMemoryKill(this.machine, descriptor)) ? 'oom' : 'unknown';
    await recordRun(this.machine, held, {
      descriptor,
      cause,
      decision: 'restarted by another supervisor: the one before was gone too soon to say why',
    });
    return { waitMs: delayOfLast(this.kept.spec, historyOf(descriptor), luckOf(descriptor.instanceId)) };
  }

  /** Whoever was stopping it is gone. */
  private async carryStopThrough(held: HeldLock, view: DaemonView): Promise<Step> {
    const descriptor = view.descriptor as Descriptor;
    await this.tell(held);
    if (view.state === 'running') await endAndClear(this.machine, held, descriptor);
    else await cleanUp(this.machine, held, view);
    return 'over';
  }

  private isOurs({ descriptor, state }: DaemonView): boolean {
    const by = descriptor?.supervisedBy;
    if (state === 'unknown' || by?.instanceId !== this.self.instanceId) return false;
    const { instanceId } = this.kept.descriptor;
    return descriptor?.instanceId === instanceId || descriptor?.former?.instanceId === instanceId;
  }

  /** A run that we began, and that trouble has kept us from taking note of. */
  private recognize(descriptor: Descriptor): void {
    if (sameInstance(descriptor, this.kept.descriptor)) return;
    this.kept = { ...this.kept, descriptor, ended: undefined, sinceMs: this.machine.clock.monotonicMs() };
    this.last = { end: { kind: 'unknown' }, ranMs: 0 };
  }

  /** One that was found running: its starter may be gone. */
  private async settle(held: HeldLock, view: DaemonView): Promise<Step> {
    const { machine, leaving } = this;
    const { spec } = this.kept;
    const descriptor = view.descriptor as Descriptor;
    if (descriptor.phase !== 'starting') return 'running';
    const outcome = await awaitReadiness(machine, descriptor, spec.readyTimeoutMs, leaving.signal);
    if (outcome === 'cancelled') return 'over';
    if (outcome === 'timeout' && spec.onTimeout === 'keep') return 'running';
    if (outcome === 'ready') {
      this.kept = { ...this.kept, descriptor: await recordPhase(machine, held, descriptor, 'ready') };
      return 'running';
    }
    if (outcome === 'timeout') this.last = { ...this.last, end: notReady(spec.readyTimeoutMs) };
    return this.react(held, await lookHeld(machine, held));
  }

  private async react(held: HeldLock, view: DaemonView): Promise<Step> {
    const descriptor = view.descriptor as Descriptor;
    const isClean = view.reading.kind === 'present' && view.reading.endedCleanly;
    const { end: seen, ranMs } = this.last;
    const end: RunEnd = seen.kind === 'unknown' && isClean ? { kind: 'ended-cleanly' } : seen;
    const decision = await this.decide(descriptor, { end, ranMs });
    const untold = { descriptor, end, decision };
    const isAtOnce = decision.action === 'restart' && decision.delayMs === 0 && view.state !== 'running';
    if (isAtOnce && (await this.mayBeMemory(descriptor, end))) await this.machine.backgroundClock.sleep(memoryPauseMs, this.leaving.signal);
    return isAtOnce ? this.relaunch(held, descriptor, decision.history, untold) : this.conclude(held, view, decision, untold);
  }

  private async decide(descriptor: Descriptor, run: Ended): Promise<RestartDecision> {
    const { bootId } = await this.machine.inspector.vantage();
    const history = historyOf(descriptor);
    // Moments of another boot are read from another clock.
    const known = descriptor.bootId === bootId ? history : { ...history, recentMs: [] };
    const decision = decideRestart(this.kept.spec, known, run, this.machine.clock.monotonicMs(), luckOf(descriptor.instanceId));
    const { service } = this.self;
    // It is told of the failure by our own end.
    const isLeftToService = service !== undefined && decision.action === 'accept' && !isSuccess(run.end, this.kept.spec.successCodes);
    return isLeftToService ? { ...decision, why: `left to ${service.manager}, which starts it again` } : decision;
  }

  /**
   * Writes down what is decided, then does it: whoever takes over from us finds it decided, and neither decides again nor
   * brings back what was to end.
   */
  private async conclude(held: HeldLock, view: DaemonView, decision: RestartDecision, untold: Untold): Promise<Step> {
    const { machine } = this;
    const { action } = decision;
    const phase = phaseAfter[action];
    const decided = { ...untold.descriptor, phase, ...(action === 'accept' ? {} : { history: decision.history }) };
    await machine.descriptors.write(held, decided);
    await settleQuietly(machine, held);
    this.untold = untold;
    if (view.state === 'running') await endRecorded(machine, held, decided, decided.stop.graceMs, phase);
    await this.tell(held);
    await endLeftovers(machine, decided, decided.stop.graceMs);
    if (action === 'accept') await clearForGood(machine, held, decided);
    if (action === 'give-up') this.events.concluded?.(decided.name, 'given-up');
    if (action === 'accept') this.events.concluded?.(decided.name, isSuccess(untold.end, this.kept.spec.successCodes) ? 'well' : 'badly');
    return action === 'restart' ? { waitMs: decision.delayMs } : 'over';
  }

  /** The next run. Between its record and the one before there is no moment without one. */
  private async relaunch(held: HeldLock, before: Descriptor, history: RestartHistory, untold?: Untold): Promise<Step> {
    const { machine, kept } = this;
    const { spec } = kept;
    await this.makeRoom(before);
    const sinceMs = machine.clock.monotonicMs();
    let launched: Launched;
    try {
      await machine.descriptors.clearRun(held, before);
      const command = await machine.spawner.resolve(spec, kept.environment);
      const supervision = { by: this.self, history };
      launched = await launchDaemon(machine, held, spec, command, { supervision, isRestart: true, former: before });
    } catch (error) {
      if (!isDaemonError(error)) throw error;
      this.events.say(kept.ref.name, error.message);
      return this.failedToStart(held, history, { ranMs: machine.clock.monotonicMs() - sinceMs, error }, untold);
    }
    this.become(launched, sinceMs);
    if (untold) this.untold = untold;
    await this.tell(held, launched.descriptor);
    await this.tidyUp();
    return 'running';
  }

  /**
   * Whose group is gone has nobody left, in the common case; who has left it is ended after, and named in the record until
   * then. A starter's intent says nothing of a group, and a run before the last one would be forgotten.
   */
  private async makeRoom(before: Descriptor): Promise<void> {
    const isPlain = !before.intent && (!before.former || this.tidied === before.instanceId);
    if (isPlain && !(await this.machine.inspector.mayHaveMembers(before.pid))) return;
    await endLeftovers(this.machine, before, before.stop.graceMs);
  }

  /** What fails here is no failure of the new run: whoever ends that one tries again. */
  private async tidyUp(): Promise<void> {
    const { descriptor } = this.kept;
    try {
      await endFormer(this.machine, descriptor);
      this.tidied = descriptor.instanceId;
    } catch (error) {
      if (!isDaemonError(error)) throw error;
      this.events.say(descriptor.name, error.message);
    }
  }

  /** Where it came to a run of its own, that is over; else the one before had one more chance. */
  private async failedToStart(held: HeldLock, history: RestartHistory, failure: FailedStart, untold?: Untold): Promise<Step> {
    const view = await lookHeld(this.machine, held);
    const before = this.kept.descriptor;
    const latest = view.descriptor ?? before;
    const end = endOfFailed(failure.error);
    const { ranMs } = failure;
    this.kept = { ...this.kept, descriptor: latest };
    const failed = { ...latest, history, supervisedBy: this.self };
    const decision = await this.decide(failed, { end, ranMs });
    if (latest.instanceId !== before.instanceId) {
      // Else the run that has ended is still the last one, of whose end nobody else knows, should this not come to be written down.
      this.last = { end, ranMs };
      if (untold) this.untold = untold;
      await this.tell(held, latest);
      return this.conclude(held, view, decision, { descriptor: failed, end, decision });
    }
    const why = untold
      ? `${untold.decision.why}, in vain: ${failure.error.message}; ${decision.why}`
      : `${failure.error.message}; ${decision.why}`;
    return this.conclude(held, view, decision, { descriptor: failed, end: untold?.end ?? end, decision: { ...decision, why } });
  }

  private become({ descriptor, ended }: Launched, sinceMs: number): void {
    this.kept = { ...this.kept, descriptor, ended, sinceMs };
    this.events.say(descriptor.name, `started again (pid ${descriptor.pid})`);
  }

  /** Tells the flight recorder, once. `next`: whose output follows in the same log. */
  private async tell(held: HeldLock, next?: Descriptor): Promise<void> {
    const { untold } = this;
    if (!untold) return;
    this.untold = undefined;
    const { descriptor, end } = untold;
    const { action, why } = untold.decision;
    const exitCode = end.kind === 'exited' ? end.exitCode : null;
    const signal = end.kind === 'killed' ? end.signal : null;
    const cause = await this.causeOf(descriptor, end, action);
    const decision = end.kind === 'unhealthy' || end.kind === 'not-started' ? `${wordsFor(end)}; ${why}` : why;
    this.events.say(descriptor.name, `ended (${cause}): ${decision}`);
    const logEnd = next?.log === descriptor.log ? next.logOffset : undefined;
    const trouble = await recordRun(this.machine, held, { descriptor, exitCode, signal, cause, decision, logEnd });
    if (trouble !== undefined) this.events.say(descriptor.name, `ended, which could not be noted: ${trouble}`);
  }

  private async mayBeMemory(descriptor: Descriptor, end: RunEnd): Promise<boolean> {
    const isSudden = end.kind === 'unknown' || (end.kind === 'killed' && end.signal === 'SIGKILL');
    return isSudden && sawMemoryKill(this.machine, descriptor);
  }

  private async causeOf(descriptor: Descriptor, end: RunEnd, action: RestartDecision['action']): Promise<RunCause> {
    if (action === 'give-up') return 'crash-loop';
    if (await this.mayBeMemory(descriptor, end)) return 'oom';
    if (isSuccess(end, this.kept.spec.successCodes)) return 'exit';
    return end.kind === 'unknown' ? 'unknown' : 'crash';
  }
}

interface FailedStart {
  readonly ranMs: number;
  readonly error: { readonly message: string; readonly facts: Readonly<Record<string, unknown>> };
}

function endOfFailed({ message, facts }: FailedStart['error']): RunEnd {
  const { exitCode, signal } = facts as Partial<ProcessEnd>;
  const isEnd = typeof exitCode === 'number' || typeof signal === 'string';
  return isEnd ? runEndOf({ exitCode: exitCode ?? null, signal: signal ?? null }) : { kind: 'not-started', why: message };
}

function notReady(timeoutMs: number): RunEnd {
  return { kind: 'not-started', why: `it was not ready within ${timeoutMs} ms` };
}

function historyOf({ history }: Descriptor): RestartHistory {
  return history ?? freshHistory;
}

function runEndOf({ exitCode, signal }: ProcessEnd): RunEnd {
  if (signal !== null) return { kind: 'killed', signal };
  return exitCode === null ? { kind: 'unknown' } : { kind: 'exited', exitCode };
}

function wordsFor(end: { kind: 'unhealthy' } | { kind: 'not-started'; why: string }): string {
  return end.kind === 'unhealthy' ? 'it was not well any more and was ended' : end.why;
}

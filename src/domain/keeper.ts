import type { BoundedLog } from './bound-logs.js';
import { isDaemonError } from './daemon-error.js';
import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor, RestartHistory, SupervisorReference } from './descriptor.js';
import { endFormer, endLeftovers } from './end-instance.js';
import { endRecorded } from './end-recorded.js';
import { isDead } from './identity.js';
import { type Launched, launchDaemon } from './launch-daemon.js';
import { type DaemonView, sight } from './look.js';
import type { DaemonRef, Environment, HeldLock, Launch, ProcessEnd, SupervisingMachine } from './ports.js';
import { recordRun, sawMemoryKill } from './record-run.js';
import { decideRestart, delayOfLast, freshHistory, isSuccess, luckOf, type RestartDecision, type RunEnd } from './restart-policy.js';
import type { RunCause } from './run-record.js';
import { cleanUp, clearAway, endAndClear, lockWait, lookHeld, underLock } from './under-lock.js';
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
}

/** How often a process that is not our child is looked at. */
const watchPollMs = 50;
/** After a failure of the machine's own: a full disk, a lock that is held for long. */
const troublePauseMs = 1_000;

/** Running: another run has begun. Over: not ours to keep any more. Else, how long until the next attempt. */
type Step = 'running' | 'over' | { readonly waitMs: number };

/** A run that has ended, and how. */
interface Ended {
  readonly descriptor: Descriptor;
  readonly end: RunEnd;
  readonly ranMs: number;
}

/**
 * Keeps one daemon running: waits for its end, and does what the policy says. Whatever is decided is decided under the
 * daemon's lock, from its record: one that somebody has stopped, or started anew, is not ours any more. All of its memory
 * is in that record, so that a supervisor that is killed is missed by nobody.
 */
export class Keeper {
  private readonly leaving = new AbortController();
  /** The instance of whose former run nothing is left. */
  private tidied: string | undefined;

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

  /** Resolves when it is not ours to keep any more. `ended`: how its last run ended, where nobody was there. */
  async run(ended?: RunEnd): Promise<void> {
    let end = ended ?? (await this.untilOver());
    while (end !== undefined && (await this.carryOn(end))) end = await this.untilOver();
  }

  /** How the run ended; `undefined` where we leave. */
  private async untilOver(): Promise<RunEnd | undefined> {
    const { machine, leaving } = this;
    const { spec, ended } = this.kept;
    const watching = new AbortController();
    const stopWatching = () => watching.abort();
    leaving.signal.addEventListener('abort', stopWatching);
    if (leaving.signal.aborted) stopWatching();
    const isUnhealthy = spec.health
      ? watchHealth(machine, spec.health, await this.healthSubject(), watching.signal).then((unhealthy) => {
          if (unhealthy) stopWatching();
          return unhealthy;
        })
      : undefined;
    const seen = ended ? await ended(watching.signal) : await this.watch(watching.signal);
    stopWatching();
    leaving.signal.removeEventListener('abort', stopWatching);
    if (seen !== undefined) return runEndOf(seen);
    return (await isUnhealthy) ? { kind: 'unhealthy' } : undefined;
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

  /** Until another run has begun, or it is not ours any more: false then. */
  private async carryOn(end: RunEnd): Promise<boolean> {
    let step = await this.underItsLock((held) => this.react(held, end));
    while (typeof step === 'object') {
      await this.machine.backgroundClock.sleep(step.waitMs, this.leaving.signal);
      step = await this.underItsLock((held) => this.resume(held));
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

  private async react(held: HeldLock, seen: RunEnd): Promise<Step> {
    const { machine } = this;
    const view = await lookHeld(machine, this.kept.ref);
    const { descriptor } = view;
    if (!descriptor || !this.isOurs(view)) return 'over';
    if (descriptor.phase === 'stopping') return this.carryStopThrough(held, view);
    if (descriptor.phase === 'backoff' && view.state !== 'running' && (await this.isRecorded(descriptor))) return this.waitAnew(descriptor);
    // Ended by us, or in part only: whatever is left of it goes.
    if (view.state === 'running') await endRecorded(machine, held, descriptor, descriptor.stop.graceMs, 'backoff');
    const wasClean = view.reading.kind === 'present' && view.reading.endedCleanly;
    const end: RunEnd = seen.kind === 'unknown' && wasClean ? { kind: 'ended-cleanly' } : seen;
    const ended = { descriptor, end, ranMs: machine.clock.monotonicMs() - this.kept.sinceMs };
    const decision = this.decide(ended);
    if (decision.action === 'restart' && decision.delayMs === 0) return this.relaunch(held, descriptor, decision, ended);
    return this.settle(held, view, decision, ended);
  }

  /** Whoever was stopping it is gone. */
  private async carryStopThrough(held: HeldLock, view: DaemonView): Promise<Step> {
    const descriptor = view.descriptor as Descriptor;
    if (view.state === 'running') await endAndClear(this.machine, held, descriptor);
    else await cleanUp(this.machine, held, view);
    return 'over';
  }

  /** Whether a supervisor before us has seen its end, and decided what comes next. */
  private async isRecorded({ instanceId }: Descriptor): Promise<boolean> {
    const [latest] = await this.machine.runs.read(this.kept.ref, 1);
    return latest?.instanceId === instanceId;
  }

  /** How much of its time had passed is not known. */
  private waitAnew({ instanceId, history = freshHistory }: Descriptor): Step {
    return { waitMs: delayOfLast(this.kept.spec, history, luckOf(instanceId)) };
  }

  /** After its time of waiting, unless somebody has stopped or started it meanwhile. */
  private async resume(held: HeldLock): Promise<Step> {
    if (this.leaving.signal.aborted) return 'over';
    const view = await lookHeld(this.machine, this.kept.ref);
    const { descriptor } = view;
    if (!descriptor || !this.isOurs(view) || descriptor.phase !== 'backoff') return 'over';
    return this.relaunch(held, descriptor, { history: descriptor.history ?? freshHistory });
  }

  private isOurs({ descriptor, state }: DaemonView): boolean {
    const by = descriptor?.supervisedBy;
    return state !== 'unknown' && descriptor?.instanceId === this.kept.descriptor.instanceId && by?.instanceId === this.self.instanceId;
  }

  private decide({ descriptor, end, ranMs }: Ended): RestartDecision {
    const history = descriptor.history ?? freshHistory;
    return decideRestart(this.kept.spec, history, { end, ranMs }, this.machine.clock.monotonicMs(), luckOf(descriptor.instanceId));
  }

  /** Writes down what comes next, unless that is another run at once. */
  private async settle(held: HeldLock, view: DaemonView, decision: RestartDecision, ended: Ended): Promise<Step> {
    const { machine } = this;
    const { descriptor } = ended;
    await this.record(held, ended, decision);
    if (decision.action === 'accept') {
      await clearAway(machine, held, view);
      return 'over';
    }
    await machine.descriptors.write(held, {
      ...descriptor,
      phase: decision.action === 'restart' ? 'backoff' : 'failed',
      history: decision.history,
    });
    await endLeftovers(machine, descriptor, descriptor.stop.graceMs);
    return decision.action === 'restart' ? { waitMs: decision.delayMs } : 'over';
  }

  /** The next run. Between its record and the one before there is no moment without one. */
  private async relaunch(
    held: HeldLock,
    before: Descriptor,
    next: { history: RestartHistory; why?: string },
    ended?: Ended,
  ): Promise<Step> {
    const { machine, kept } = this;
    const { spec, ref } = kept;
    await this.makeRoom(before);
    const sinceMs = machine.clock.monotonicMs();
    let launched: Launched;
    try {
      await machine.descriptors.clearRun(held, before);
      const command = await machine.spawner.resolve(spec, kept.environment);
      const supervision = { by: this.self, history: next.history };
      launched = await launchDaemon(machine, held, spec, command, { supervision, keepsRecord: true, former: before });
    } catch (error) {
      if (!isDaemonError(error)) throw error;
      this.events.say(ref.name, error.message);
      if (ended) await this.record(held, ended, { action: 'restart', why: next.why ?? '' });
      return this.failedToStart(held, next.history, { ranMs: machine.clock.monotonicMs() - sinceMs, error });
    }
    this.become(launched, sinceMs);
    if (ended) await this.record(held, ended, { action: 'restart', why: next.why ?? '' }, launched.descriptor);
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

  private async failedToStart(
    held: HeldLock,
    history: RestartHistory,
    { ranMs, error }: { ranMs: number; error: { message: string; facts: Readonly<Record<string, unknown>> } },
  ): Promise<Step> {
    const view = await lookHeld(this.machine, this.kept.ref);
    const latest = view.descriptor ?? this.kept.descriptor;
    this.kept = { ...this.kept, descriptor: latest };
    const { exitCode, signal } = error.facts as Partial<ProcessEnd>;
    const isEnd = typeof exitCode === 'number' || typeof signal === 'string';
    const end = isEnd
      ? runEndOf({ exitCode: exitCode ?? null, signal: signal ?? null })
      : ({ kind: 'not-started', why: error.message } as const);
    const ended = { descriptor: { ...latest, history, supervisedBy: this.self }, end, ranMs };
    return this.settle(held, view, this.decide(ended), ended);
  }

  private become({ descriptor, ended }: Launched, sinceMs: number): void {
    this.kept = { ...this.kept, descriptor, ended, sinceMs };
    this.events.say(descriptor.name, `started again (pid ${descriptor.pid})`);
  }

  private async record(
    held: HeldLock,
    { descriptor, end }: Ended,
    { action, why }: Pick<RestartDecision, 'action' | 'why'>,
    next?: Descriptor,
  ): Promise<void> {
    const exitCode = end.kind === 'exited' ? end.exitCode : null;
    const signal = end.kind === 'killed' ? end.signal : null;
    const cause = await this.causeOf(descriptor, end, action);
    const decision = end.kind === 'unhealthy' || end.kind === 'not-started' ? `${wordsFor(end)}; ${why}` : why;
    this.events.say(descriptor.name, `ended (${cause}): ${decision}`);
    const logEnd = next?.log === descriptor.log ? next.logOffset : undefined;
    await recordRun(this.machine, held, { descriptor, exitCode, signal, cause, decision, logEnd });
  }

  private async causeOf(descriptor: Descriptor, end: RunEnd, action: RestartDecision['action']): Promise<RunCause> {
    if (action === 'give-up') return 'crash-loop';
    const mayBeMemory = end.kind === 'unknown' || (end.kind === 'killed' && end.signal === 'SIGKILL');
    if (mayBeMemory && (await sawMemoryKill(this.machine, descriptor))) return 'oom';
    if (isSuccess(end, this.kept.spec.successCodes)) return 'exit';
    return end.kind === 'unknown' ? 'unknown' : 'crash';
  }
}

function runEndOf({ exitCode, signal }: ProcessEnd): RunEnd {
  if (signal !== null) return { kind: 'killed', signal };
  return exitCode === null ? { kind: 'unknown' } : { kind: 'exited', exitCode };
}

function wordsFor(end: { kind: 'unhealthy' } | { kind: 'not-started'; why: string }): string {
  return end.kind === 'unhealthy' ? 'it was not well any more and was ended' : end.why;
}

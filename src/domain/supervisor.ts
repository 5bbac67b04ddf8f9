import { awaitReadiness } from './await-readiness.js';
import { type BoundedLog, boundLogs } from './bound-logs.js';
import { type Descriptor, type SupervisorReference, sameInstance } from './descriptor.js';
import { recordPhase } from './end-recorded.js';
import { type EnsureRequest, ensureDaemon } from './ensure-daemon.js';
import { Keeper, type KeeperEvents, type Kept } from './keeper.js';
import { sight, supervisorOf } from './look.js';
import type { DaemonRef, Environment, HeldLock, SupervisingMachine } from './ports.js';
import { type RestartRequest, restartDaemon } from './restart-daemon.js';
import { freshHistory, type RunEnd } from './restart-policy.js';
import { type StartRequest, type StartResult, startDaemon } from './start-daemon.js';
import { stopDaemon } from './stop-daemon.js';
import { cleanUp, endAndClear, lockWait, lookHeld, underLock } from './under-lock.js';

export interface SupervisorEvents extends KeeperEvents {
  /** Told of each change of what is kept. */
  kept(): void;
}

/**
 * Starts daemons for others and keeps them running. It may be killed at any moment: whatever it knows stands in the
 * records of its daemons, and another one takes over from there. Of two, each keeps what names it in its record.
 */
export class Supervisor {
  /** In the order in which they were started. */
  private readonly keepers = new Set<Keeper>();
  /** What is being started, and how to cancel it. */
  private readonly launches = new Map<Promise<StartResult>, AbortController>();
  private readonly leaving = new AbortController();

  constructor(
    private readonly machine: SupervisingMachine,
    readonly self: SupervisorReference,
    private readonly events: SupervisorEvents,
  ) {}

  get names(): readonly string[] {
    return [...this.keepers].map(({ ref }) => ref.name);
  }

  /** The instances that are kept now. */
  get daemons(): readonly Descriptor[] {
    return [...this.keepers].map(({ descriptor }) => descriptor);
  }

  /** As `startDaemon`, as its parent. One that lost its supervisor is taken over. */
  async start(request: StartRequest): Promise<StartResult> {
    return this.launch(request, (supervised) => startDaemon(this.machine, supervised));
  }

  async ensure(request: EnsureRequest): Promise<StartResult> {
    return this.launch(request, (supervised) => ensureDaemon(this.machine, supervised));
  }

  async restart(request: RestartRequest): Promise<StartResult> {
    return this.launch(request, (supervised) => restartDaemon(this.machine, supervised));
  }

  /** Takes over every daemon of this home whose supervisor is gone. What can't be taken over is said, and left alone. */
  async takeOver(): Promise<void> {
    // All at once: one that is still starting, or whose lock somebody holds, keeps the others waiting for nobody.
    await Promise.all((await this.machine.descriptors.names()).map((name) => this.tryToAdopt({ name })));
  }

  /** Reads again what is remembered of each. */
  async reload(): Promise<void> {
    for (const keeper of this.keepers) {
      const spec = await this.machine.descriptors.readSpec(keeper.ref);
      if (spec) keeper.follow(spec);
    }
  }

  /** Bounds the logs of all that is kept, and `more` of them, until it leaves. */
  boundLogs(more: readonly BoundedLog[] = []): Promise<void> {
    const logs = () => [...more, ...[...this.keepers].map(({ log }) => log)];
    return boundLogs(this.machine, logs, this.leaving.signal);
  }

  /** Passes a signal on to the leader of each daemon that is kept here. */
  async forward(signal: string): Promise<void> {
    for (const { descriptor } of this.keepers) await this.machine.signals.send(descriptor, signal);
  }

  /** Keeps nothing any more, and leaves all daemons as they are. */
  leave(): void {
    this.leaving.abort();
    for (const keeper of this.keepers) keeper.leave();
  }

  /** Stops all daemons that are kept here, the last started first; what is only being started is cancelled. */
  async stopAll(): Promise<void> {
    for (const cancel of this.launches.values()) cancel.abort();
    await Promise.allSettled(this.launches.keys());
    for (const keeper of [...this.keepers].reverse()) {
      keeper.leave();
      try {
        await stopDaemon(this.machine, { ref: keeper.ref });
      } catch (error) {
        this.events.say(keeper.ref.name, (error as Error).message);
      }
    }
  }

  private async launch<Request extends StartRequest | RestartRequest>(
    request: Request,
    work: (supervised: Request) => Promise<StartResult>,
  ): Promise<StartResult> {
    const cancel = new AbortController();
    const forward = () => cancel.abort();
    request.signal?.addEventListener('abort', forward);
    if (request.signal?.aborted) forward();
    const supervision = { by: this.self, history: freshHistory };
    const launching = work({ ...request, signal: cancel.signal, supervision }).then((result) => this.launched(request, result));
    this.launches.set(launching, cancel);
    try {
      return await launching;
    } finally {
      this.launches.delete(launching);
      request.signal?.removeEventListener('abort', forward);
    }
  }

  private async launched(
    { ref, spec, environment }: { ref: DaemonRef; spec?: StartRequest['spec']; environment?: Environment | undefined },
    result: StartResult,
  ): Promise<StartResult> {
    const { ended, descriptor } = result;
    if (ended) {
      const kept = { ref, descriptor, environment, ended, sinceMs: this.machine.clock.monotonicMs() };
      const remembered = spec ?? (await this.machine.descriptors.readSpec(ref));
      if (remembered) this.keep({ ...kept, spec: remembered });
    } else {
      await this.adopt(ref);
    }
    return result;
  }

  private keep(kept: Kept, ended?: RunEnd): void {
    if (this.leaving.signal.aborted) return;
    const keeper = new Keeper(this.machine, this.self, kept, this.events);
    this.keepers.add(keeper);
    this.events.kept();
    const isOver = () => {
      this.keepers.delete(keeper);
      this.events.kept();
    };
    keeper.run(ended).then(isOver, (error) => {
      this.events.say(kept.ref.name, `is not kept any more: ${(error as Error).message}`);
      isOver();
    });
  }

  private async tryToAdopt(ref: DaemonRef): Promise<void> {
    try {
      await this.adopt(ref);
    } catch (error) {
      this.events.say(ref.name, `can't be taken over: ${(error as Error).message}`);
    }
  }

  /** Only its record says whose a daemon is, and only under its lock. */
  private async adopt(ref: DaemonRef): Promise<void> {
    const reading = await this.machine.descriptors.read(ref);
    if (reading.kind !== 'present' || !(await this.isOrphan(reading.descriptor))) return;
    const spec = await this.machine.descriptors.readSpec(ref);
    if (!spec || spec.restart === 'never') return;
    await underLock(this.machine, ref, lockWait(spec), async (held) => {
      const view = await lookHeld(this.machine, ref);
      const { descriptor } = view;
      if (!descriptor || view.state === 'unknown' || descriptor.phase === 'failed' || !(await this.isOrphan(descriptor))) return;
      if (descriptor.phase === 'stopping') {
        // Whoever was stopping it is gone as well.
        if (view.state === 'running') await endAndClear(this.machine, held, descriptor);
        else await cleanUp(this.machine, held, view);
        return;
      }
      const ours = { ...descriptor, supervisedBy: this.self };
      await this.machine.descriptors.write(held, ours);
      const kept = { ref: held.ref, spec, ended: undefined, sinceMs: await this.startOf(ours) };
      const environment = view.state === 'running' ? await this.machine.inspector.environmentOf(ours.pid) : undefined;
      if (environment === undefined)
        this.events.say(ref.name, 'was started with an environment that is lost: it will be restarted with mine');
      if (view.state !== 'running') return this.keep({ ...kept, descriptor: ours, environment }, { kind: 'unknown' });
      await this.keepRunning(held, { ...kept, descriptor: ours, environment });
    });
  }

  private async keepRunning(held: HeldLock, kept: Kept): Promise<void> {
    const { descriptor, spec } = kept;
    this.events.say(descriptor.name, `taken over (pid ${descriptor.pid})`);
    // It was being ended, to be started again.
    if (descriptor.phase === 'backoff') return this.keep(kept, { kind: 'unknown' });
    if (descriptor.phase !== 'starting') return this.keep(kept);
    const outcome = await awaitReadiness(this.machine, descriptor, spec.readyTimeoutMs);
    if (outcome === 'ready') return this.keep({ ...kept, descriptor: await recordPhase(this.machine, held, descriptor, 'ready') });
    if (outcome === 'timeout' && spec.onTimeout === 'keep') return this.keep(kept);
    this.keep(
      kept,
      outcome === 'ended' ? { kind: 'unknown' } : { kind: 'not-started', why: `it was not ready within ${spec.readyTimeoutMs} ms` },
    );
  }

  private async isOrphan(descriptor: Descriptor): Promise<boolean> {
    const { supervisedBy } = descriptor;
    if (supervisedBy === null || sameInstance(supervisedBy, this.self)) return false;
    const sighting = await sight(this.machine.inspector, supervisorOf(descriptor, supervisedBy));
    return sighting.kind === 'gone' || sighting.kind === 'zombie' || sighting.kind === 'stranger';
  }

  private async startOf({ pid }: Descriptor): Promise<number> {
    const uptimeMs = (await this.machine.inspector.usage(pid))?.uptimeMs ?? 0;
    return this.machine.clock.monotonicMs() - uptimeMs;
  }
}

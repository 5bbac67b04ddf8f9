import { type BoundedLog, boundLogs } from './bound-logs.js';
import type { DaemonSpec } from './daemon-spec.js';
import { type Descriptor, type SupervisorReference, sameInstance } from './descriptor.js';
import { type EnsureRequest, ensureDaemon } from './ensure-daemon.js';
import { Keeper, type KeeperEvents, type Kept } from './keeper.js';
import { type DaemonView, sight, supervisorOf } from './look.js';
import type { DaemonRef, Environment, HeldLock, SupervisingMachine } from './ports.js';
import { type RestartRequest, restartDaemon } from './restart-daemon.js';
import { freshHistory } from './restart-policy.js';
import { type StartRequest, type StartResult, startDaemon } from './start-daemon.js';
import { stopDaemon } from './stop-daemon.js';
import { asDaemon } from './tree-usage.js';
import { lockWait, lookHeld, underLock } from './under-lock.js';

/** A minute, where a disk is full or a lock is held. */
const mostAttempts = 60;
const attemptPauseMs = 1_000;

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
  /** Instances that may be recorded as ours, and that no keeper has. */
  private readonly claimed = new Set<string>();
  /** What is being started, and how to cancel it. */
  private readonly launches = new Map<Promise<StartResult>, AbortController>();
  private readonly leaving = new AbortController();
  private latest: Environment | undefined;
  private isHandedOver = false;

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

  /** Takes over every daemon of this home whose supervisor is gone. What can't be taken over is said, tried again, and at last left alone. */
  async takeOver(): Promise<void> {
    let names = await this.machine.descriptors.names();
    for (let attempt = 1; names.length > 0 && attempt <= mostAttempts; attempt++) {
      if (attempt > 1) await this.machine.clock.sleep(attemptPauseMs, this.leaving.signal);
      if (this.leaving.signal.aborted) return;
      // All at once: one whose lock somebody holds keeps the others waiting for nobody.
      const outcomes = await Promise.all(names.map(async (name) => ({ name, isDone: await this.tryToAdopt({ name }) })));
      names = outcomes.flatMap(({ name, isDone }) => (isDone ? [] : name));
    }
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

  /** As `leave`, in a program that lives on: by their records alone it would be their supervisor for as long as it does. */
  async handOver(): Promise<void> {
    const refs = [...this.keepers].map(({ ref }) => ref);
    this.isHandedOver = true;
    this.leave();
    await Promise.all(refs.map((ref) => this.letGo(ref)));
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
    { ref, environment }: { ref: DaemonRef; environment?: Environment | undefined },
    result: StartResult,
  ): Promise<StartResult> {
    const { ended, descriptor, spec } = result;
    if (ended && spec) {
      this.keep({ ref, spec, descriptor, environment, ended, sinceMs: this.machine.clock.monotonicMs() });
    } else {
      // It runs, whether we come to keep it or not.
      if (await this.tryToAdopt(ref)) await this.sayUnkept(descriptor);
    }
    return result;
  }

  /** Whoever asked for it to be kept would take it for kept. One of ours that is only just started is so in a moment. */
  private async sayUnkept(descriptor: Descriptor): Promise<void> {
    const { name, instanceId, supervisedBy } = descriptor;
    if (this.leaving.signal.aborted || this.daemons.some((kept) => kept.instanceId === instanceId)) return;
    // Nobody's, and not taken over: it was restarted with no policy since.
    const isNobodys = supervisedBy === null || (await this.isOrphan(descriptor).catch(() => false));
    if (isNobodys) {
      this.events.say(
        name,
        'runs already, started with no policy to restart it, and is not kept: stop it and start it again to have it kept',
      );
    } else if (!sameInstance(supervisedBy, this.self)) {
      this.events.say(name, `is kept by another supervisor (pid ${supervisedBy.pid}) already`);
    }
  }

  /** `isFound`: it was another's. */
  private keep(kept: Kept, isFound = false): void {
    const { ref } = kept;
    if (this.isHandedOver) void this.letGo(ref);
    if (this.leaving.signal.aborted) return;
    const keeper = new Keeper(this.machine, this.self, { ...kept, environment: this.shared(kept.environment) }, this.events);
    this.keepers.add(keeper);
    this.events.kept();
    const isOver = () => {
      this.keepers.delete(keeper);
      this.events.kept();
    };
    // Whatever these capture is kept as long as the daemon is.
    keeper.run(isFound).then(isOver, (error) => {
      this.events.say(ref.name, `is not kept any more: ${(error as Error).message}`);
      isOver();
      void this.letGo(ref);
    });
  }

  private async letGo(ref: DaemonRef): Promise<void> {
    const { machine, self } = this;
    try {
      await underLock(machine, ref, lockWait(await machine.descriptors.readSpec(ref)), async (held) => {
        const { descriptor } = await lookHeld(machine, held);
        if (!descriptor?.supervisedBy || !sameInstance(descriptor.supervisedBy, self)) return;
        await machine.descriptors.write(held, { ...descriptor, supervisedBy: { ...descriptor.supervisedBy, left: true } });
      });
    } catch (error) {
      this.events.say(ref.name, `is still on record as kept by this program: ${(error as Error).message}`);
    }
  }

  /** Most daemons come from one shell, or one program: a single copy of its environment is enough for all of them. */
  private shared(environment: Environment | undefined): Environment | undefined {
    if (environment && !(this.latest && areAlike(environment, this.latest))) this.latest = environment;
    return environment && this.latest;
  }

  /** False where that is to be tried again. */
  private async tryToAdopt(ref: DaemonRef): Promise<boolean> {
    try {
      await this.adopt(ref);
      return true;
    } catch (error) {
      this.events.say(ref.name, `can't be taken over: ${(error as Error).message}`);
      return false;
    }
  }

  /** Only its record says whose a daemon is, and only under its lock. */
  private async adopt(ref: DaemonRef): Promise<void> {
    const reading = await this.machine.descriptors.read(ref);
    if (reading.kind !== 'present' || !(await this.isOrphan(reading.descriptor))) return;
    const before = await this.machine.descriptors.readSpec(ref);
    await underLock(this.machine, ref, lockWait(before, this.leaving.signal), async (held) => {
      const view = await lookHeld(this.machine, held);
      const { descriptor } = view;
      const spec = await this.machine.descriptors.readSpec(ref);
      if (!spec || spec.restart === 'never') return;
      if (!descriptor || view.state === 'unknown' || !(await this.isOrphan(descriptor))) return;
      // Given up, and not even running: that is for somebody to start.
      if (descriptor.phase === 'failed' && view.state !== 'running') return;
      await this.makeOurs(held, view, descriptor, spec);
    });
  }

  /** Looks before it writes: one that is recorded as ours is nobody else's to keep. */
  private async makeOurs(held: HeldLock, { state }: DaemonView, descriptor: Descriptor, spec: DaemonSpec): Promise<void> {
    const { machine, events } = this;
    const isRunning = state === 'running';
    const sinceMs = isRunning ? await this.startOf(descriptor) : machine.clock.monotonicMs();
    const environment = isRunning ? await machine.inspector.environmentOf(descriptor.pid) : undefined;
    const ours = { ...descriptor, supervisedBy: { ...this.self, ...(await this.worldBeside(descriptor)) } };
    this.claimed.add(descriptor.instanceId);
    await machine.descriptors.write(held, ours);
    events.say(ours.name, isRunning ? `taken over (pid ${ours.pid})` : 'taken over, between two runs');
    if (environment === undefined) events.say(ours.name, 'was started with an environment that is lost: it will be restarted with mine');
    this.keep({ ref: held.ref, spec, descriptor: ours, environment, ended: undefined, sinceMs }, true);
    this.claimed.delete(descriptor.instanceId);
  }

  /** The dead one's world may have ended with it, and ours has not. */
  private async worldBeside(descriptor: Descriptor): Promise<Pick<SupervisorReference, 'world'>> {
    const { bootId, pidNamespace, timeNamespace, host } = await this.machine.inspector.vantage();
    const isSame =
      bootId === descriptor.bootId &&
      pidNamespace === descriptor.pidNamespace &&
      timeNamespace === descriptor.timeNamespace &&
      host === descriptor.host;
    return isSame ? {} : { world: { bootId, pidNamespace, timeNamespace, host } };
  }

  private async isOrphan(descriptor: Descriptor): Promise<boolean> {
    const { supervisedBy } = descriptor;
    if (supervisedBy === null) return false;
    if (supervisedBy.left) return true;
    // Its service manager brings its own supervisor back.
    if (supervisedBy.service !== undefined) return false;
    if (sameInstance(supervisedBy, this.self)) return this.claimed.has(descriptor.instanceId);
    const sighting = await sight(this.machine.inspector, supervisorOf(descriptor, supervisedBy));
    return sighting.kind === 'gone' || sighting.kind === 'zombie' || sighting.kind === 'stranger';
  }

  private async startOf({ pid, waitedMs }: Descriptor): Promise<number> {
    const usage = await this.machine.inspector.usage(pid);
    return this.machine.clock.monotonicMs() - (usage ? asDaemon(usage, waitedMs).uptimeMs : 0);
  }
}

function areAlike(one: Environment, other: Environment): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name) && one[name] === other[name]);
}

import type { ProcessIdentity } from '../../domain/identity.js';
import type { SupervisingMachine } from '../../domain/ports.js';
import type { Party, Turn } from './schedule.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedControlChannel } from './simulated-control-channel.js';
import { SimulatedDescriptorRepo } from './simulated-descriptor-repo.js';
import { SimulatedHealthProber } from './simulated-health-prober.js';
import { SimulatedLifecycleLock } from './simulated-lifecycle-lock.js';
import { SimulatedLogStore } from './simulated-log-store.js';
import type { PidSpace, Placement, SimulatedMarks, SimulatedProcess } from './simulated-process.js';
import { SimulatedProcessInspector } from './simulated-process-inspector.js';
import { SimulatedProcessSpawner } from './simulated-process-spawner.js';
import { SimulatedReadinessProbe } from './simulated-readiness-probe.js';
import { SimulatedRunLog } from './simulated-run-log.js';
import { SimulatedSignalSender } from './simulated-signal-sender.js';
import type { Fault, PortCall, SimulatedWorld } from './simulated-world.js';

export interface ActorOptions {
  readonly name?: string;
  readonly uid?: number;
  /** Whose child it is, and carries whose marks: a daemon's, for a program that the daemon has started. */
  readonly parent?: SimulatedProcess;
  readonly placement?: Placement;
  readonly space?: PidSpace;
  readonly exclusiveHome?: boolean;
  /** The process that it is, where that is there already. */
  readonly process?: SimulatedProcess;
}

/** How a piece of an actor's work came out. */
export type Attempt<T> =
  | { readonly kind: 'returned'; readonly value: T }
  | { readonly kind: 'threw'; readonly error: unknown }
  | { readonly kind: 'crashed' };

/** A waiting call's way to go on. */
export interface Waking<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * A program that runs use cases on the simulated machine. It lives as long as its process: what kills that one ends its
 * calls for ever, frees its locks and closes its gates.
 */
export class SimulatedActor implements Party {
  readonly name: string;
  readonly process: SimulatedProcess;
  readonly identity: ProcessIdentity;
  readonly exclusiveHome: boolean;
  readonly machine: SupervisingMachine;
  /** Calls so far. */
  calls = 0;
  /** Its process is suspended until then. */
  stalledUntilMs = 0;

  private waiting = 0;

  constructor(
    readonly world: SimulatedWorld,
    options: ActorOptions,
  ) {
    this.process = options.process ?? forkActor(world, options);
    this.name = options.name ?? `actor-${this.process.pid}`;
    this.identity = world.identityOf(this.process);
    this.exclusiveHome = options.exclusiveHome ?? false;
    this.machine = {
      clock: new SimulatedClock(this),
      inspector: new SimulatedProcessInspector(this),
      spawner: new SimulatedProcessSpawner(this),
      signals: new SimulatedSignalSender(this),
      descriptors: new SimulatedDescriptorRepo(this),
      lock: new SimulatedLifecycleLock(this),
      readiness: new SimulatedReadinessProbe(this),
      control: new SimulatedControlChannel(this),
      logs: new SimulatedLogStore(this),
      runs: new SimulatedRunLog(this),
      backgroundClock: new SimulatedClock(this),
      health: new SimulatedHealthProber(this),
    };
    this.process.onEnd(() => this.vanish());
  }

  get ended(): boolean {
    return !this.process.isAlive;
  }

  /** Killed, at this very moment. */
  crash(): void {
    this.world.kernel.exit(this.process, { exitCode: null, signal: 'SIGKILL' });
  }

  /** Does its work, also where it is killed over it: its own promise then never settles. */
  attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
    if (this.ended) return Promise.resolve({ kind: 'crashed' });
    return new Promise((resolve, reject) => {
      this.world.schedule.failure.catch(reject);
      this.process.onEnd(() => resolve({ kind: 'crashed' }));
      const settle = (attempt: Attempt<T>) => {
        if (this.ended) return;
        resolve(attempt);
        this.world.schedule.rest(this);
      };
      work().then(
        (value) => settle({ kind: 'returned', value }),
        (error) => settle({ kind: 'threw', error }),
      );
    });
  }

  /** A call that is done in one moment: others come before it or after it. */
  call<T>(name: string, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.world.schedule.enqueue(new InstantCall(this, name, ++this.calls, effect, resolve, reject));
    });
  }

  /** A call that waits: `begin` sees to it that it is woken. */
  wait<T>(name: string, begin: (waking: Waking<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const call: PortCall = { actor: this, call: name, number: ++this.calls };
      this.world.schedule.enqueue({ party: this, take: () => this.suspend(call, begin, { resolve, reject }) });
    });
  }

  private suspend<T>(call: PortCall, begin: (waking: Waking<T>) => void, caller: Waking<T>): boolean {
    const fault = this.world.faults?.(call);
    if (fault?.when === 'before') return this.suffer(fault, caller);
    const { schedule } = this.world;
    let isWoken = false;
    this.waiting++;
    schedule.block();
    const wake = (goOn: () => void, outcome: unknown) => {
      if (isWoken || this.ended) return;
      isWoken = true;
      this.waiting--;
      schedule.unblock();
      const take = () => {
        this.world.onCall?.(call, outcome);
        if (fault) return this.suffer(fault, caller);
        goOn();
        return true;
      };
      schedule.enqueue({ party: this, take });
    };
    begin({ resolve: (value) => wake(() => caller.resolve(value), value), reject: (error) => wake(() => caller.reject(error), error) });
    return false;
  }

  /** True when the actor's code goes on. */
  suffer(fault: Fault, caller: { reject(error: unknown): void }): boolean {
    if (fault.what === 'crash') {
      this.crash();
      return false;
    }
    if (fault.what === 'reboot') {
      this.world.reboot();
      return false;
    }
    caller.reject(fault.what);
    return true;
  }

  private vanish(): void {
    const { schedule } = this.world;
    schedule.unblock(this.waiting);
    this.waiting = 0;
    schedule.rest(this);
  }
}

function forkActor({ kernel }: SimulatedWorld, options: ActorOptions): SimulatedProcess {
  const parent = options.parent ?? (options.space ?? kernel.root).init;
  const marks: SimulatedMarks | null = parent.pid === 1 ? null : parent.marks;
  return kernel.fork({ parent, placement: options.placement ?? 'own-session', uid: options.uid ?? 1000, marks, log: null });
}

/** Most calls are of this kind, and a simulation makes millions: one object for what is asked, by whom, and how it is answered. */
class InstantCall<T> implements Turn, PortCall, Waking<T> {
  constructor(
    readonly actor: SimulatedActor,
    readonly call: string,
    readonly number: number,
    private readonly effect: () => T,
    readonly resolve: (value: T) => void,
    readonly reject: (error: unknown) => void,
  ) {}

  get party(): Party {
    return this.actor;
  }

  take(): boolean {
    const { actor } = this;
    const { world } = actor;
    const fault = world.faults?.(this);
    if (fault?.when === 'before') return actor.suffer(fault, this);
    let value: T;
    try {
      value = this.effect();
    } catch (error) {
      if (fault && !(fault.what instanceof Error)) return actor.suffer(fault, this);
      world.onCall?.(this, error);
      this.reject(error);
      return !actor.ended;
    }
    world.onCall?.(this, value);
    if (fault) return actor.suffer(fault, this);
    if (actor.ended) return false;
    this.resolve(value);
    return true;
  }
}

import type { ProcessIdentity } from '../../domain/identity.js';
import { commonPrograms, type Program, RunningProgram } from './program.js';
import { defaultPace, Schedule, type SchedulePace } from './schedule.js';
import { SeededRandom } from './seeded-random.js';
import { type ActorOptions, SimulatedActor } from './simulated-actor.js';
import { type DaemonFolder, SimulatedDisk } from './simulated-disk.js';
import { SimulatedKernel } from './simulated-kernel.js';
import { SimulatedLocks } from './simulated-locks.js';
import { SimulatedNetwork } from './simulated-network.js';
import type { Placement, SimulatedProcess } from './simulated-process.js';

/**
 * What goes wrong with one call of one actor: it is killed, the whole machine goes down, or the call throws; before the
 * call does anything, or after.
 */
export interface Fault {
  readonly when: 'before' | 'after';
  readonly what: 'crash' | 'reboot' | Error;
}

export interface PortCall {
  readonly actor: SimulatedActor;
  /** Port and method, as in `descriptors.write`. */
  readonly call: string;
  /** Counts the calls of this actor, from 1. */
  readonly number: number;
}

export interface SimulatedWorldOptions {
  readonly seed: number;
  readonly pace?: Partial<SchedulePace>;
  /** Few, so that they are soon used again. */
  readonly pids?: { readonly first: number; readonly last: number };
  readonly reuse?: number;
  readonly initReaps?: 'late' | 'never';
  /** False for a machine without a launch gate. */
  readonly gated?: boolean;
  /** False for a file system that takes no head out of a file. */
  readonly cutsLogs?: boolean;
  /** As `hidepid` does: other users' processes show that they are there, and nothing else. */
  readonly hidesOthers?: boolean;
}

/** A signal, at the moment at which it is sent. */
export interface SentSignal {
  readonly sender: SimulatedActor;
  readonly target: SimulatedProcess;
  readonly signal: string;
}

/**
 * A machine in memory that all its actors share. One seed brings the same run back: the order of everybody's calls, the
 * pids, the delays. Time is virtual, and goes on only while somebody waits.
 */
export class SimulatedWorld {
  readonly schedule: Schedule;
  readonly kernel: SimulatedKernel;
  readonly disk = new SimulatedDisk();
  readonly network = new SimulatedNetwork();
  readonly locks: SimulatedLocks;
  readonly gated: boolean;
  readonly cutsLogs: boolean;
  readonly hidesOthers: boolean;
  readonly programs = new Map<string, Program>(Object.entries(commonPrograms));
  /** Asked at each call. */
  faults: ((call: PortCall) => Fault | undefined) | undefined;
  /** Told of each signal that an actor sends. */
  onSignal: ((sent: SentSignal) => void) | undefined;
  /** Told of each change to a daemon's files that an actor makes. */
  onWrite: ((write: { readonly actor: SimulatedActor; readonly key: string }) => void) | undefined;
  /** Told of each call, once it has been done. */
  onCall: ((call: PortCall, outcome: unknown) => void) | undefined;

  private readonly tester = { ended: false };

  constructor(options: SimulatedWorldOptions) {
    const { seed, pace = {}, pids = { first: 2, last: 100 }, reuse = 0.5, initReaps = 'late', gated = true, hidesOthers = false } = options;
    this.schedule = new Schedule(new SeededRandom(seed), { ...defaultPace, ...pace });
    this.kernel = new SimulatedKernel(this.schedule, { pids, reuse, initReaps });
    this.locks = new SimulatedLocks(this.schedule);
    this.gated = gated;
    this.cutsLogs = options.cutsLogs ?? true;
    this.hidesOthers = hidesOthers;
  }

  /** A program that uses daemonry, with a process of its own. */
  actor(options: ActorOptions = {}): SimulatedActor {
    return new SimulatedActor(this, options);
  }

  /** Lets time pass, and everybody go on meanwhile. Fails with the schedule, in which no time passes any more. */
  pass(ms: number): Promise<void> {
    this.schedule.block();
    return new Promise((resolve, reject) => {
      this.schedule.failure.catch(reject);
      this.schedule.after(ms, () => {
        this.schedule.unblock();
        this.schedule.enqueue({
          party: this.tester,
          take: () => {
            resolve();
            return true;
          },
        });
      });
    });
  }

  /** A power cut: everybody is gone, and all that is left is what was written, some of the last of it perhaps not. */
  reboot(): void {
    this.kernel.reboot();
    this.disk.loseUnsettled(() => this.schedule.random.chance(0.5));
  }

  /** A process that has nothing to do with daemonry. */
  spawnStranger(options: { placement?: Placement; uid?: number; program?: Program; parent?: SimulatedProcess } = {}): SimulatedProcess {
    const { placement = 'own-session', uid = 1000, program, parent = this.kernel.root.init } = options;
    const process = this.kernel.fork({ parent, placement, uid, marks: null, origin: null });
    program?.(new RunningProgram(this, process), []);
    return process;
  }

  /** Makes a process its command. */
  execute(process: SimulatedProcess, file: string, args: readonly string[]): void {
    if (!process.isAlive) return;
    process.life = 'running';
    this.kernel.changes++;
    const program = this.programs.get(file);
    const running = new RunningProgram(this, process);
    if (program) program(running, args);
    else running.exit(127);
  }

  folderOf(descriptor: string): DaemonFolder | undefined {
    for (const folder of this.disk.folders) if (folder.descriptor === descriptor) return folder;
    return undefined;
  }

  identityOf(process: SimulatedProcess): ProcessIdentity {
    return {
      pid: process.pid,
      startToken: process.startToken,
      bootId: this.kernel.bootId,
      pidNamespace: process.space.id,
      timeNamespace: 'time:[root]',
      host: process.space.host,
    };
  }

  findProcess({ pid, startToken, pidNamespace, bootId }: ProcessIdentity): SimulatedProcess | undefined {
    if (bootId !== this.kernel.bootId) return undefined;
    const found = this.kernel.spaces.get(pidNamespace)?.processes.get(pid);
    return found?.startToken === startToken ? found : undefined;
  }
}

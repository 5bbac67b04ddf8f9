import type { ProcessEnd } from '../../domain/ports.js';
import type { Schedule } from './schedule.js';
import { type Origin, type PidRange, PidSpace, type Placement, type SimulatedMarks, SimulatedProcess } from './simulated-process.js';

export interface KernelOptions {
  readonly pids: PidRange;
  /** How long process 1 lets orphans lie: up to two seconds on real machines, in many containers for ever. */
  readonly initReaps: 'late' | 'never';
  /** How often a new process gets the pid that was freed last. */
  readonly reuse: number;
}

export interface Fork {
  readonly parent: SimulatedProcess;
  readonly placement: Placement;
  readonly uid?: number;
  readonly marks?: SimulatedMarks | null;
  readonly origin?: Origin | null;
  readonly log?: string | null;
  readonly gated?: boolean;
}

/** A start token counts these, as on Linux. */
const tickMs = 10;
const slowestSignalMs = 2;
const slowestReapMs = 2;
const slowestInitReapMs = 2_000;
const slowestGateMs = 3;
const ignoredByDefault = new Set(['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH']);

/** Processes, and what the system does to them by itself. */
export class SimulatedKernel {
  bootId: string;
  /** Counts whatever changes in the process table, so that a judge looks only then. */
  changes = 0;
  readonly spaces = new Map<string, PidSpace>();

  /** The monotonic clock starts anew then. */
  bootedAtMs = 0;
  private boots = 0;

  constructor(
    readonly schedule: Schedule,
    private readonly options: KernelOptions,
  ) {
    this.bootId = this.nextBootId();
    this.addSpace('pid:[root]', 'host-1');
  }

  get root(): PidSpace {
    return this.spaces.get('pid:[root]') as PidSpace;
  }

  /** A container, more or less: processes that see only each other. */
  addSpace(id: string, host: string): PidSpace {
    const space = new PidSpace(id, host, this.options.pids);
    this.spaces.set(id, space);
    space.processes.set(1, this.createInit(space));
    return space;
  }

  /** Ends everybody in a container at once. */
  removeSpace(id: string): void {
    for (const process of this.spaces.get(id)?.processes.values() ?? []) this.wipe(process);
    this.spaces.delete(id);
    this.changes++;
  }

  /** The machine goes down and comes up again: nobody is left, and start tokens count from zero. */
  reboot(): void {
    const spaces = [...this.spaces.values()];
    for (const space of spaces) for (const process of space.processes.values()) this.wipe(process);
    this.spaces.clear();
    this.bootId = this.nextBootId();
    this.bootedAtMs = this.schedule.nowMs;
    this.addSpace('pid:[root]', 'host-1');
    this.changes++;
  }

  fork(fork: Fork): SimulatedProcess {
    const { parent, placement } = fork;
    const { space } = parent;
    const startToken = String(Math.floor((this.schedule.nowMs - this.bootedAtMs) / tickMs));
    const pid = this.allocate(space);
    const child = new SimulatedProcess({
      pid,
      startToken,
      bornMs: this.schedule.nowMs,
      space,
      parent,
      processGroup: placement === 'same-group' ? parent.processGroup : pid,
      session: placement === 'own-session' ? pid : parent.session,
      uid: fork.uid ?? parent.uid,
      marks: fork.marks === undefined ? parent.marks : fork.marks,
      origin: fork.origin === undefined ? parent.origin : fork.origin,
      isLeader: fork.origin !== undefined && fork.origin !== null,
      log: fork.log === undefined ? parent.log : fork.log,
      gated: fork.gated ?? false,
    });
    space.processes.set(pid, child);
    parent.children.add(child);
    this.changes++;
    return child;
  }

  /** The signal is sent at once and arrives a little later. */
  signal(process: SimulatedProcess, signal: string): void {
    if (process.isAlive) this.schedule.after(this.schedule.random.next() * slowestSignalMs, () => this.deliver(process, signal));
  }

  /** Into a system call that does not end, for a while: no signal gets through to it, and none is lost. */
  hang(process: SimulatedProcess, forMs: number): void {
    process.pending ??= [];
    this.schedule.after(forMs, () => {
      const signals = process.pending ?? [];
      process.pending = undefined;
      for (const signal of signals) this.deliver(process, signal);
    });
  }

  exit(process: SimulatedProcess, end: ProcessEnd): void {
    if (!process.isAlive || process.pid === 1) return;
    this.changes++;
    process.becomeZombie(end);
    for (const child of process.children) this.orphan(child);
    process.children.clear();
    this.awaitReaping(process);
  }

  private deliver(process: SimulatedProcess, signal: string): void {
    if (!process.isAlive) return;
    if (process.pending) {
      process.pending.push(signal);
      return;
    }
    const handler = signal === 'SIGKILL' ? undefined : process.handlers.get(signal);
    if (handler) handler();
    else if (!ignoredByDefault.has(signal)) this.exit(process, { exitCode: null, signal });
  }

  private orphan(child: SimulatedProcess): void {
    const { init } = child.space;
    child.parent = init;
    init.children.add(child);
    if (!child.isAlive) this.awaitReaping(child);
    // Its gate was open towards the one who ended: it reads end-of-file, and runs nothing.
    if (child.life === 'gated' && !child.isGateOpen) {
      this.schedule.after(this.schedule.random.next() * slowestGateMs, () => this.exit(child, { exitCode: 125, signal: null }));
    }
  }

  private awaitReaping(process: SimulatedProcess): void {
    const { parent } = process;
    if (!parent?.reaps) return;
    const { random } = this.schedule;
    const isOrphan = parent.pid === 1;
    const withinMs = isOrphan && random.chance(0.5) ? slowestInitReapMs : slowestReapMs;
    this.schedule.after(random.next() * withinMs, () => {
      if (process.parent === parent) this.reap(process);
    });
  }

  private reap(process: SimulatedProcess): void {
    if (process.life !== 'zombie') return;
    process.becomeReaped();
    process.parent?.children.delete(process);
    process.space.remove(process, this.schedule.nowMs);
    this.changes++;
  }

  private allocate(space: PidSpace): number {
    const { nowMs, random } = this.schedule;
    const pid = space.allocate(nowMs, random.chance(this.options.reuse));
    if (pid === undefined) throw new Error('the simulated machine has no free pid');
    return pid;
  }

  private wipe(process: SimulatedProcess): void {
    if (process.isAlive) process.becomeZombie({ exitCode: null, signal: 'SIGKILL' });
    process.life = 'reaped';
  }

  private createInit(space: PidSpace): SimulatedProcess {
    const init = new SimulatedProcess({
      pid: 1,
      startToken: '0',
      bornMs: this.schedule.nowMs,
      space,
      parent: null,
      processGroup: 1,
      session: 1,
      uid: 0,
      marks: null,
      origin: null,
      isLeader: false,
      log: null,
      gated: false,
    });
    init.reaps = this.options.initReaps === 'late';
    return init;
  }

  private nextBootId(): string {
    return `boot-${++this.boots}`;
  }
}

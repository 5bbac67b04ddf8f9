import type { DaemonMarks, ProcessEnd, ProcessRow } from '../../domain/ports.js';

/** `gated`: spawned, but not yet become its command. */
export type Life = 'gated' | 'running' | 'zombie' | 'reaped';

export type Placement = 'same-group' | 'own-group' | 'own-session';

/** What a daemon is told by its environment. */
export interface SimulatedMarks extends DaemonMarks {
  readonly name: string;
  readonly socket: string;
  readonly notifyFile: string | null;
}

/** Of which run a process is, whatever its environment says: known to the simulation alone, to judge by. */
export interface Origin {
  readonly descriptor: string;
  readonly instanceId: string;
}

export interface ProcessBirth {
  readonly pid: number;
  readonly startToken: string;
  readonly bornMs: number;
  readonly space: PidSpace;
  readonly parent: SimulatedProcess | null;
  readonly processGroup: number;
  readonly session: number;
  readonly uid: number;
  readonly marks: SimulatedMarks | null;
  readonly origin: Origin | null;
  readonly isLeader: boolean;
  readonly log: string | null;
  readonly gated: boolean;
}

export class SimulatedProcess {
  readonly pid: number;
  readonly startToken: string;
  readonly bornMs: number;
  readonly space: PidSpace;
  readonly uid: number;
  readonly marks: SimulatedMarks | null;
  readonly origin: Origin | null;
  /** Spawned as the daemon itself, where the others of its origin are what it has forked. */
  readonly isLeader: boolean;
  readonly log: string | null;
  readonly processGroup: number;
  readonly session: number;
  readonly children = new Set<SimulatedProcess>();
  /** What it does at a signal; the default where there is none. */
  readonly handlers = new Map<string, () => void>();
  parent: SimulatedProcess | null;
  life: Life;
  end: ProcessEnd | undefined;
  isGateOpen: boolean;
  /** Whether it learns of its children's ends, as a shell does and a careless program does not. */
  reaps = true;
  /** Shows that it is there, but not who it is. */
  isHidden = false;
  /** In a system call that does not end: what it is sent waits here. */
  pending: string[] | undefined;

  private endings: (() => void)[] = [];
  private reapings: (() => void)[] = [];

  constructor(birth: ProcessBirth) {
    this.pid = birth.pid;
    this.startToken = birth.startToken;
    this.bornMs = birth.bornMs;
    this.space = birth.space;
    this.parent = birth.parent;
    this.processGroup = birth.processGroup;
    this.session = birth.session;
    this.uid = birth.uid;
    this.marks = birth.marks;
    this.origin = birth.origin;
    this.isLeader = birth.isLeader;
    this.log = birth.log;
    this.life = birth.gated ? 'gated' : 'running';
    this.isGateOpen = !birth.gated;
  }

  get isAlive(): boolean {
    return this.life === 'gated' || this.life === 'running';
  }

  /** Once: when its parent has learned of its end. */
  onReaped(reaping: () => void): void {
    this.reapings.push(reaping);
  }

  becomeReaped(): void {
    this.life = 'reaped';
    const { reapings } = this;
    this.reapings = [];
    for (const reaping of reapings) reaping();
  }

  /** Once: when it ends, before anybody learns of it. */
  onEnd(ending: () => void): void {
    this.endings.push(ending);
  }

  becomeZombie(end: ProcessEnd): void {
    this.life = 'zombie';
    this.end = end;
    const endings = this.endings;
    this.endings = [];
    for (const ending of endings) ending();
  }

  row(): ProcessRow {
    const { pid, startToken, processGroup, session, uid } = this;
    return { pid, startToken, parent: this.parent?.pid ?? 0, processGroup, session, uid, zombie: !this.isAlive };
  }
}

export interface PidRange {
  readonly first: number;
  readonly last: number;
}

/**
 * How long a pid stays unused. A real system gives one out again when it has been through all the others, which takes it
 * seconds; no signal sender could do without such a pause, since it looks first and signals then.
 */
const restMs = 150;

/** One pid namespace: its slots, and who is in them. */
export class PidSpace {
  readonly processes = new Map<number, SimulatedProcess>();

  /** When the pids were freed, the latest last. */
  private readonly freed = new Map<number, number>();
  private next: number;

  constructor(
    readonly id: string,
    readonly host: string,
    readonly range: PidRange,
  ) {
    this.next = range.first;
  }

  get init(): SimulatedProcess {
    return this.processes.get(1) as SimulatedProcess;
  }

  /** A free pid; `undefined` where there is none. `reuse` asks for the one that was in use last. */
  allocate(nowMs: number, reuse: boolean): number | undefined {
    const pid = (reuse ? this.latestFreed(nowMs) : undefined) ?? this.nextInLine(nowMs);
    if (pid !== undefined) this.freed.delete(pid);
    return pid;
  }

  remove(process: SimulatedProcess, nowMs: number): void {
    this.processes.delete(process.pid);
    this.freed.set(process.pid, nowMs);
  }

  private latestFreed(nowMs: number): number | undefined {
    return [...this.freed.keys()].findLast((pid) => this.isFree(pid, nowMs));
  }

  private nextInLine(nowMs: number): number | undefined {
    const { first, last } = this.range;
    for (let tries = first; tries <= last; tries++) {
      const pid = this.next;
      this.next = pid === last ? first : pid + 1;
      if (this.isFree(pid, nowMs)) return pid;
    }
    return undefined;
  }

  /** The kernel skips a number that is a living group or session, too. */
  private isFree(pid: number, nowMs: number): boolean {
    if (this.processes.has(pid) || nowMs < (this.freed.get(pid) ?? Number.NEGATIVE_INFINITY) + restMs) return false;
    for (const process of this.processes.values()) if (process.processGroup === pid || process.session === pid) return false;
    return true;
  }
}

import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor, DescriptorReading, MemoryWitness } from './descriptor.js';
import type { HealthProbe } from './health-check.js';
import type { Observation, ProcessIdentity, Vantage } from './identity.js';
import type { Owner } from './owner.js';
import type { ReadyCondition } from './ready-condition.js';
import type { RunRecord } from './run-record.js';

/** Real adapters answer at once where the system does; the simulated ones suspend, so that others can step in between. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Which daemon: its name in the home, or a descriptor path of the embedding program's own. */
export interface DaemonRef {
  readonly name: string;
  readonly descriptor?: string;
}

export interface Clock {
  /** Milliseconds since an arbitrary moment; never steps back. For every duration. */
  monotonicMs(): number;
  /** ISO 8601. For display only. */
  wallTime(): string;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** One line of the process table. */
export interface ProcessRow {
  readonly pid: number;
  readonly startToken: string;
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  readonly uid: number;
  readonly zombie: boolean;
  /** Where the table tells it without another look; else `usage` does. */
  readonly usage?: ProcessUsage | undefined;
}

/** What a daemon carries in its environment, and so do the processes that it starts. */
export interface DaemonMarks {
  readonly instanceId: string;
  readonly descriptor: string;
}

export interface ProcessUsage {
  readonly uptimeMs: number;
  /** Of one core, over the whole life. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
}

/** Who is in a pid slot now. */
export interface ProcessInspector {
  vantage(): Awaitable<Vantage>;
  observe(pid: number): Awaitable<Observation>;
  /** Whether anyone lives in a pid namespace below ours; `undefined` where that can't be told. */
  isNamespaceInhabited(pidNamespace: string): Awaitable<boolean | undefined>;
  /** Every process that can be seen. */
  survey(): Awaitable<readonly ProcessRow[]>;
  /** The marks that a process of our user and our namespaces carries; `undefined` also where its environment can't be read. */
  marksOf(pid: number): Awaitable<DaemonMarks | undefined>;
  usage(pid: number): Awaitable<ProcessUsage | undefined>;
  /** Whether a process handles or ignores a signal, or ends by it; `undefined` where that can't be seen. */
  handles(pid: number, signal: string): Awaitable<boolean | undefined>;
  /** False only where it is proven that no process, not even a dead one, is in this group. */
  mayHaveMembers(processGroup: number): Awaitable<boolean>;
  /** What a process was started with, where that can be read; it may have changed it since. */
  environmentOf(pid: number): Awaitable<Environment | undefined>;
  /** The kernel's count around a process, or by its source; `undefined` where none is kept. */
  memoryKills(of: number | string): Awaitable<MemoryWitness | undefined>;
  /** The pids whose end would be ours too, or that wait for us: this process and its ancestors. */
  ownLineage(): Awaitable<readonly number[]>;
}

/** `gone` and `not-ours`: the recorded process is not there any more, or its slot is somebody else's. Nothing was sent. */
export type SignalOutcome = 'sent' | 'gone' | 'not-ours' | 'not-permitted';

/** Signals identities, never pids: who is there is read again immediately before. */
export interface SignalSender {
  send(target: ProcessIdentity, signal: string): Awaitable<SignalOutcome>;
  /** Signals the process group of which `witness`, checked immediately before, is a living member. */
  sendToGroup(witness: ProcessIdentity, processGroup: number, signal: string): Awaitable<SignalOutcome>;
}

/** A spec made exact for one start: everything that can be wrong with it has been looked at. */
export interface ResolvedCommand {
  readonly file: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whether a launch gate can hold it. Where none can, the caller records an intent first. */
  readonly gated: boolean;
}

export interface LaunchRequest {
  readonly command: ResolvedCommand;
  readonly marks: DaemonMarks & { readonly name: string; readonly socket: string };
  readonly log: string;
  readonly notifyFile: string | null;
  /** For whom it is started, where it is to leave with him. */
  readonly owner?: Owner | undefined;
}

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A process that was spawned and, behind a gate, does not yet run the command. */
export interface Launch {
  readonly identity: ProcessIdentity;
  /** It could not leave the caller's job, a terminal's perhaps, and may end with it: on Windows. */
  readonly confined?: boolean;
  /** How long the process had been waiting before it was this daemon's: nothing, unless it was spawned in advance. */
  readonly waitedMs?: number | undefined;
  /** Lets the command run. Whether it has been executed is for the readiness probe to tell. */
  open(): Awaitable<void>;
  /** Ends the process without having run the command, where a gate holds it. */
  abort(): Awaitable<void>;
  /** How it ended, once it has: known to its parent only. */
  end(): ProcessEnd | undefined;
  /** The same, as soon as it has; `undefined` when `signal` aborts first. Also after `release`. */
  ended(signal: AbortSignal): Promise<ProcessEnd | undefined>;
  /** Lets go of it: it keeps the caller's program alive no longer. */
  release(): void;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ProcessSpawner {
  /** False where no launch gate can be had at all (no `/bin/sh`). */
  readonly gated: boolean;
  /**
   * Throws `command-not-found`, `not-executable` or `invalid-spec`, with the exact errno, before anything is spawned.
   * `environment`: of whoever wants it started, where that is not this process.
   */
  resolve(spec: DaemonSpec, environment?: Environment): Awaitable<ResolvedCommand>;
  spawn(request: LaunchRequest): Awaitable<Launch>;
}

export interface DaemonPlace {
  /** The name as first spelled: names are compared without case. */
  readonly name: string;
  /** Whether anything was ever kept under this name. */
  readonly known: boolean;
  /** Absolute paths. */
  readonly descriptor: string;
  readonly log: string;
}

/** Files that belong to one run. */
export interface InstanceFiles {
  readonly instanceId: string;
  readonly socket: string;
  readonly notifyFile: string | null;
}

/**
 * The files of a daemon, all but its log. Whatever writes takes the held lock: only its holder may.
 *
 * Failures: `unwritable` with `path` and `errno`, `not-permitted`, `unsafe-home`.
 */
export interface DescriptorRepo {
  place(ref: DaemonRef): Awaitable<DaemonPlace>;
  read(ref: DaemonRef): Awaitable<DescriptorReading>;
  /** Atomic: a reader sees the old record or the new one. */
  write(held: HeldLock, descriptor: Descriptor): Awaitable<void>;
  /** Makes record and spec outlive a power cut, which leaves no process: so this may come after the launch, and before it is told. */
  settle(held: HeldLock): Awaitable<void>;
  /** Removes the descriptor, or sets it aside as `.bad` where it can't be parsed, with the files of the run that it names. */
  clear(held: HeldLock): Awaitable<void>;
  /** Removes the files of a run that is over, and keeps its record: the next run's takes its place. */
  clearRun(held: HeldLock, descriptor: Descriptor): Awaitable<void>;
  /** A fresh random instance, with a socket path of its own unless one is pinned. */
  createInstance(held: HeldLock, options: { readonly pinnedSocket: string | null; readonly notify: boolean }): Awaitable<InstanceFiles>;
  readSpec(ref: DaemonRef): Awaitable<DaemonSpec | undefined>;
  writeSpec(held: HeldLock, spec: DaemonSpec): Awaitable<void>;
  /** Every name that was ever kept in this home, sorted. */
  names(): Awaitable<readonly string[]>;
}

/** Proof that its bearer holds the lifecycle lock of one daemon. */
export interface HeldLock {
  readonly ref: DaemonRef;
  release(): Awaitable<void>;
}

export interface LockWait {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** One holder for each daemon, for as long as it lives and no longer: the kernel frees it. */
export interface LifecycleLock {
  /** Throws `lock-timeout` that names the holder, `cancelled`, or what the files throw. */
  acquire(ref: DaemonRef, wait: LockWait): Promise<HeldLock>;
  /** Who seems to hold it, read without taking it. */
  holder(ref: DaemonRef): Awaitable<ProcessIdentity | undefined>;
}

/** What a readiness condition is about. */
export interface ReadySubject {
  readonly pid: number;
  readonly socket: string | null;
  readonly log: string;
  readonly logOffset: number;
  readonly notifyFile: string | null;
}

export interface ReadinessProbe {
  /** One bounded attempt. The process itself is watched elsewhere. */
  check(condition: ReadyCondition, subject: ReadySubject): Awaitable<boolean>;
  /** Hears when the next attempt may come to something else, where the kernel tells; `undefined` where it does not. */
  watch?(condition: ReadyCondition, subject: ReadySubject): ReadinessWatch | undefined;
}

export interface ReadinessWatch {
  /** Resolves when there may be news, when `patienceMs` are over, or when `signal` aborts. */
  news(patienceMs: number, signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** What a health probe is about. */
export interface HealthSubject {
  readonly pid: number;
  readonly socket: string | null;
  readonly instanceId: string;
  readonly cwd: string;
  readonly environment: Environment;
}

export interface HealthProber {
  /** One attempt, at most `timeoutMs` long. False for whatever is not well. */
  check(probe: HealthProbe, subject: HealthSubject, timeoutMs: number): Promise<boolean>;
}

/** What answers on a daemon's socket. `other`: somebody, but not in our protocol, or not in time. */
export type HelloOutcome =
  | {
      readonly kind: 'hello';
      readonly instanceId: string;
      readonly name: string;
      readonly version: string | null;
      readonly protocol: number;
    }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'other' }
  | { readonly kind: 'denied' };

/** `not-served`: it doesn't speak the control protocol, or has nothing to reload there. `failed`: it tried, and says why not. */
export type ReloadOutcome = 'reloaded' | 'not-served' | { readonly failed: string };

/** Whether anybody but who asks is at it. `nobody` listens: then nobody can be connected. `other`: that can't be told. */
export type OccupationOutcome = 'idle' | 'busy' | 'nobody' | 'other';

export interface ControlChannel {
  hello(socket: string, timeoutMs: number): Awaitable<HelloOutcome>;
  /** Asks this very instance to end. False unless it was that instance that agreed. */
  shutdown(socket: string, instanceId: string, timeoutMs: number): Awaitable<boolean>;
  /** Asks this very instance whether it has anything to do. */
  occupation(socket: string, instanceId: string, timeoutMs: number): Awaitable<OccupationOutcome>;
  /** Asks this very instance to read its configuration again. */
  reload(socket: string, instanceId: string, timeoutMs: number): Awaitable<ReloadOutcome>;
}

export interface LogTarget {
  readonly ref: DaemonRef;
  /** A file of the user's own, or `null`. */
  readonly file: string | null;
  readonly maxBytes: number;
  readonly keep: number;
}

export type RotateOutcome = 'fits' | 'rotated' | 'unsupported';

/** Where the daemons' output is kept. Offsets count all that was ever written to a log, in bytes, over all rotation. */
export interface LogStore {
  /** Before a start: rotates a log that has grown too large and makes sure that it can be written. Returns where the next output begins. */
  prepare(held: HeldLock, target: LogTarget): Awaitable<{ readonly path: string; readonly offset: number }>;
  /**
   * Rotates a log that a daemon writes to, once it holds `maxBytes`; brings to its end what was interrupted. A single look where
   * it fits. `unsupported`: it is rotated at the next start only, since the system can't, or it is not ours alone.
   * Throws `unwritable` or `not-permitted`; nothing is lost then.
   */
  rotate(held: HeldLock, target: LogTarget): Awaitable<RotateOutcome>;
  /** For whoever polls: notes how far the log has come by now, and returns how many bytes the current file holds. A single look where nothing was written. */
  noteTime(path: string): Awaitable<number>;
  /** The last lines, oldest first, across rotated files, from `fromOffset` on and up to `toOffset` where given. */
  tail(path: string, lines: number, fromOffset?: number, toOffset?: number): Awaitable<readonly string[]>;
}

/** The flight recorder: one record for each run that has ended, the newest few kept. */
export interface RunLog {
  append(held: HeldLock, run: RunRecord): Awaitable<void>;
  /** The newest first. */
  read(ref: DaemonRef, most: number): Awaitable<readonly RunRecord[]>;
}

/** All ports together: the machine that the use cases run on. */
export interface Machine {
  readonly clock: Clock;
  readonly inspector: ProcessInspector;
  readonly spawner: ProcessSpawner;
  readonly signals: SignalSender;
  readonly descriptors: DescriptorRepo;
  readonly lock: LifecycleLock;
  readonly readiness: ReadinessProbe;
  readonly control: ControlChannel;
  readonly logs: LogStore;
  readonly runs: RunLog;
}

/** What a supervisor runs on. */
export interface SupervisingMachine extends Machine {
  readonly health: HealthProber;
  /** For waiting in the background: it keeps no program alive. */
  readonly backgroundClock: Clock;
}

import type { StoredRecord } from '../../src/adapters/simulated/simulated-disk.js';
import type { Origin, SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import type { SentSignal, SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';

export type Invariant =
  /** Never two live instances of one name. */
  | 'one-instance'
  /** No daemon past its gate that its descriptor does not name. */
  | 'no-daemon-without-descriptor'
  /** No signal reaches a process that is not of the run which its sender has locked. */
  | 'no-signal-to-others'
  /** Files are changed by the holder of the lock only. */
  | 'one-writer'
  /** A descriptor is whole or absent, unless somebody else spoiled it. */
  | 'whole-descriptor'
  /** A lock is free once its holder is dead. */
  | 'lock-freed'
  /** Nobody but a start brings back what was stopped, was given up, or was to end. */
  | 'no-unasked-restart'
  /** No more restarts than the policy allows. */
  | 'restart-limit'
  /** What is to be kept is running, about to be, or given up. */
  | 'never-forgotten'
  /** Of two supervisors, one keeps an instance. */
  | 'one-keeper'
  /** The flight recorder has each run once. */
  | 'one-record'
  /** A verb does what it says, and fails for a reason only. Judged by the simulation, which knows the reasons. */
  | 'verb';

/** What mishaps leave of a descriptor: nobody of ours writes that. */
export const spoiled: StoredRecord = { kind: 'corrupt', reason: 'a mishap' };

export class Violation extends Error {
  constructor(
    readonly invariant: Invariant,
    message: string,
  ) {
    super(`${invariant}: ${message}`);
    this.name = 'Violation';
  }
}

export const allInvariants: readonly Invariant[] = [
  'one-instance',
  'no-daemon-without-descriptor',
  'no-signal-to-others',
  'one-writer',
  'whole-descriptor',
  'lock-freed',
  'no-unasked-restart',
  'restart-limit',
  'never-forgotten',
  'one-keeper',
  'one-record',
  'verb',
];

/** What a judge has seen of each instance, by its id, and when. */
export interface Ledger {
  /** Its command ran. */
  readonly ran: Map<string, number>;
  /** It was signalled. */
  readonly signalled: Map<string, number>;
  /** Its leader ended. */
  readonly ended: Map<string, number>;
  /** When a leader of this descriptor path ended last. */
  readonly lastEnd: Map<string, number>;
  /** Leaders whose end is waited for. */
  readonly known: Set<SimulatedProcess>;
}

/** Judges a world after each of its steps. The first violation fails its schedule, and everybody's attempt with it. */
export function judge(world: SimulatedWorld, invariants: readonly Invariant[] = allInvariants, onChange: () => void = () => {}): Ledger {
  const ledger: Ledger = { ran: new Map(), signalled: new Map(), ended: new Map(), lastEnd: new Map(), known: new Set() };
  const wanted = new Set(invariants);
  let violation: Violation | undefined;
  let seen = -1;
  const accuse = (invariant: Invariant, message: string) => {
    if (wanted.has(invariant)) violation ??= new Violation(invariant, `${message} (at ${world.schedule.nowMs.toFixed(2)} ms)`);
  };
  world.onSignal = (sent) => {
    note(ledger.signalled, sent.target.origin?.instanceId, world);
    judgeSignal(world, sent, accuse);
  };
  world.onWrite = ({ actor, key }) => {
    if (world.locks.holder(key)?.identity !== actor.identity) accuse('one-writer', `${actor.name} changes ${key} without its lock`);
  };
  world.schedule.onStep = () => {
    const changes = world.kernel.changes + world.disk.changes + world.locks.changes;
    if (changes !== seen) {
      judgeProcesses(world, ledger, accuse);
      judgeRecords(world, accuse);
      judgeLocks(world, accuse);
      onChange();
    }
    seen = changes;
    if (violation) throw violation;
  };
  return ledger;
}

function note(moments: Map<string, number>, instanceId: string | undefined, world: SimulatedWorld): void {
  if (instanceId !== undefined && !moments.has(instanceId)) moments.set(instanceId, world.schedule.nowMs);
}

type Accuse = (invariant: Invariant, message: string) => void;

/** A signal may reach only a process of the run that its sender has locked. */
function judgeSignal(world: SimulatedWorld, { sender, target, signal }: SentSignal, accuse: Accuse): void {
  const { origin } = target;
  if (origin && world.locks.holder(origin.descriptor.toLowerCase())?.identity === sender.identity) return;
  const who = origin ? `a process of ${origin.instanceId}, which it has not locked` : 'a stranger';
  accuse('no-signal-to-others', `${sender.name} sends ${signal} to pid ${target.pid}, ${who}`);
}

function judgeProcesses(world: SimulatedWorld, ledger: Ledger, accuse: Accuse): void {
  const instances = new Map<string, string>();
  for (const { processes } of world.kernel.spaces.values()) {
    for (const process of processes.values()) {
      const { origin } = process;
      if (origin && process.isLeader && !ledger.known.has(process)) noteEnd(world, ledger, process, origin);
      // Behind its gate it is no daemon yet, and what hides from everybody is nobody's to find.
      if (!origin || process.life !== 'running' || !isFindable(process)) continue;
      // Ended after its successor has begun, which names it.
      if (!process.isLeader && isFormer(world, origin)) continue;
      const other = instances.get(origin.descriptor);
      if (other !== undefined && other !== origin.instanceId)
        accuse('one-instance', `${other} and ${origin.instanceId} of ${origin.descriptor} both live`);
      instances.set(origin.descriptor, origin.instanceId);
      note(ledger.ran, origin.instanceId, world);
      if (process.isLeader) judgeLeader(world, process, accuse);
    }
  }
}

function isFormer(world: SimulatedWorld, { descriptor, instanceId }: Origin): boolean {
  const record = world.folderOf(descriptor)?.record;
  // What somebody has spoiled may have named it.
  return record?.kind === 'present' ? record.descriptor.former?.instanceId === instanceId : record?.kind === 'corrupt';
}

function noteEnd(world: SimulatedWorld, ledger: Ledger, leader: SimulatedProcess, { descriptor, instanceId }: Origin): void {
  ledger.known.add(leader);
  const ended = () => {
    note(ledger.ended, instanceId, world);
    ledger.lastEnd.set(descriptor, world.schedule.nowMs);
  };
  if (leader.isAlive) leader.onEnd(ended);
  else ended();
}

function judgeRecords(world: SimulatedWorld, accuse: Accuse): void {
  for (const { descriptor, record } of world.disk.folders)
    if (record.kind === 'corrupt' && record !== spoiled) accuse('whole-descriptor', `${descriptor} is not whole`);
}

function judgeLocks(world: SimulatedWorld, accuse: Accuse): void {
  const orphan = world.locks.findOrphan();
  if (orphan !== undefined) accuse('lock-freed', `the lock of ${orphan} outlives its holder`);
}

function judgeLeader(world: SimulatedWorld, leader: SimulatedProcess, accuse: Accuse): void {
  const { descriptor = '', instanceId = '' } = leader.origin ?? {};
  const record = world.folderOf(descriptor)?.record;
  // What somebody has spoiled names nobody, and is no absence.
  if (record?.kind === 'corrupt' || record?.kind === 'newer') return;
  const names = record?.kind === 'present' && record.descriptor.instanceId === instanceId;
  const exactly =
    names && (record.descriptor.intent || (record.descriptor.pid === leader.pid && record.descriptor.startToken === leader.startToken));
  if (!exactly) accuse('no-daemon-without-descriptor', `pid ${leader.pid} runs ${instanceId}, and ${descriptor} does not name it`);
}

/** Not in its group, and without marks: nobody can know whose it is. */
export function isFindable(process: SimulatedProcess): boolean {
  return process.isLeader || process.marks !== null;
}

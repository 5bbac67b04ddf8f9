import { DaemonError } from './daemon-error.js';
import type { Descriptor } from './descriptor.js';
import { isDead, type ProcessIdentity } from './identity.js';
import { sight } from './look.js';
import type { Machine, ProcessRow } from './ports.js';
import { findRemains, type Remains, type RemainsOf } from './remains.js';

export interface InstanceEnd {
  /** The grace ran out, and somebody was killed. */
  readonly forced: boolean;
  /** Processes that had left the daemon's group and were ended too. */
  readonly escaped: readonly number[];
  /** Processes of it that became another user's: they can't be ended by us, and live on. */
  readonly beyondReach: readonly number[];
}

export const nothingToEnd: InstanceEnd = { forced: false, escaped: [], beyondReach: [] };

/** Who is to be ended, and how. */
export interface EndTarget {
  readonly name: string;
  /** Leads the group that is theirs; all of them are in its world. */
  readonly leader: ProcessIdentity;
  readonly stopSignal: string;
  find(): Promise<Remains>;
}

/** How long a peer may take to prove that it speaks the control protocol, before it is signalled instead: whoever is silent costs every stop as much. */
const helloTimeoutMs = 1_000;
/** How long the kernel may take to end what was killed: longer only in uninterruptible sleep. */
const killTimeoutMs = 5_000;
const firstPollMs = 1;
const slowestPollMs = 25;

/**
 * Ends one instance, all of it: asks or signals the leader, gives it the grace, gives what is left the rest of it, then
 * kills group and escaped processes. Every process is proven to be the recorded one immediately before its signal.
 *
 * Throws `not-permitted` when the leader is another user's, `stop-timeout` when something survived SIGKILL.
 */
export async function endInstance(
  machine: Machine,
  descriptor: Descriptor,
  graceMs: number,
  onStopping: () => Promise<void> = async () => {},
): Promise<InstanceEnd> {
  const { clock } = machine;
  let leaderAliveMs = clock.monotonicMs();
  if ((await sight(machine.inspector, descriptor)).kind === 'alive') {
    await onStopping();
    const isAsked = await askOrSignal(machine, descriptor);
    // From here on: what a silent socket has cost is not the daemon's time.
    const deadline = clock.monotonicMs() + graceMs;
    if (isAsked) leaderAliveMs = (await watchEnd(machine, [descriptor], deadline)) ?? leaderAliveMs;
    return endRemains(machine, { descriptor, leaderAliveMs }, deadline);
  }
  return endRemains(machine, { descriptor }, clock.monotonicMs() + graceMs);
}

/** Ends what a dead instance left behind. Nothing can be left after another boot or in another namespace. */
export async function endLeftovers(machine: Machine, descriptor: Descriptor, graceMs: number): Promise<InstanceEnd> {
  const here = await machine.inspector.vantage();
  if (descriptor.bootId !== here.bootId || descriptor.pidNamespace !== here.pidNamespace || descriptor.host !== here.host) {
    return nothingToEnd;
  }
  return endRemains(machine, { descriptor }, machine.clock.monotonicMs() + graceMs);
}

/** The same of the run before a living one. */
export async function endFormer(machine: Machine, { former, intent: _, ...descriptor }: Descriptor): Promise<void> {
  if (former) await endLeftovers(machine, { ...descriptor, ...former }, descriptor.stop.graceMs);
}

async function endRemains(machine: Machine, of: RemainsOf, graceDeadline: number): Promise<InstanceEnd> {
  const { descriptor } = of;
  let known = of;
  const find = async () => {
    const remains = await findRemains(machine, known);
    known = { ...known, kin: remains.group };
    return remains;
  };
  return endAll(machine, { name: descriptor.name, leader: descriptor, stopSignal: descriptor.stop.signal, find }, graceDeadline);
}

/** True when the leader was asked or signalled, false when it turned out to be gone. */
async function askOrSignal(machine: Machine, descriptor: Descriptor): Promise<boolean> {
  if (await agreesToEnd(machine, descriptor)) return true;
  const outcome = await machine.signals.send(descriptor, descriptor.stop.signal);
  switch (outcome) {
    case 'sent':
      return true;
    case 'gone':
    case 'not-ours':
      return false;
    case 'not-permitted':
      throw new DaemonError('not-permitted', `not permitted to signal pid ${descriptor.pid}`, {
        name: descriptor.name,
        pid: descriptor.pid,
        uid: descriptor.uid,
      });
  }
}

async function agreesToEnd(machine: Machine, descriptor: Descriptor): Promise<boolean> {
  if (descriptor.socket === null) return false;
  const hello = await machine.control.hello(descriptor.socket, helloTimeoutMs);
  if (hello.kind !== 'hello' || hello.instanceId !== descriptor.instanceId) return false;
  return machine.control.shutdown(descriptor.socket, descriptor.instanceId, helloTimeoutMs);
}

/** Ends whoever `find` finds, and looks again, until nobody is left. Throws `stop-timeout` when something survived SIGKILL. */
export async function endAll(machine: Machine, target: EndTarget, graceDeadline: number): Promise<InstanceEnd> {
  const escaped = new Set<number>();
  const asked = new Set<string>();
  let killDeadline: number | undefined;
  // Each round ends what it found and looks again, for what was forked meanwhile. Bounded by the two deadlines.
  for (;;) {
    const remains = await target.find();
    const rows = allOf(remains);
    for (const row of remains.escaped) escaped.add(row.pid);
    if (rows.length === 0) return { forced: killDeadline !== undefined, escaped: [...escaped], beyondReach: [] };

    const now = machine.clock.monotonicMs();
    if (killDeadline !== undefined && now >= killDeadline) {
      if (!(await areBeyondReach(machine, target.leader, rows))) throw survived(target.name, rows);
      return { forced: true, escaped: [...escaped], beyondReach: rows.map(({ pid }) => pid) };
    }
    if (killDeadline === undefined && now >= graceDeadline) killDeadline = now + killTimeoutMs;
    const identities = rows.map((row) => identityOf(row, target.leader));
    if (killDeadline === undefined) {
      const fresh = rows.filter((row) => !asked.has(keyOf(row)));
      for (const row of fresh) await machine.signals.send(identityOf(row, target.leader), target.stopSignal);
      for (const row of fresh) asked.add(keyOf(row));
      await watchEnd(machine, identities, graceDeadline);
    } else {
      await killAll(machine, target.leader, remains);
      await watchEnd(machine, identities, killDeadline);
    }
  }
}

async function killAll(machine: Machine, leader: ProcessIdentity, remains: Remains): Promise<void> {
  const members = remains.leader ? [remains.leader, ...remains.group] : remains.group;
  const callerInGroup = await isCallerInGroup(machine, leader.pid);
  // The group at once, so that a forking member can't outrun the list; one by one only where we would kill ourselves.
  for (const witness of callerInGroup ? [] : members) {
    const outcome = await machine.signals.sendToGroup(identityOf(witness, leader), leader.pid, 'SIGKILL');
    // One that has ended or left since the look proves nothing: the next may.
    if (outcome === 'sent' || outcome === 'not-permitted') break;
  }
  const single = callerInGroup ? [...members, ...remains.escaped] : remains.escaped;
  for (const row of single) await machine.signals.send(identityOf(row, leader), 'SIGKILL');
}

/** What a daemon has started through a setuid program must not keep its name from being used again. */
async function areBeyondReach(machine: Machine, leader: ProcessIdentity, rows: readonly ProcessRow[]): Promise<boolean> {
  for (const row of rows) {
    const outcome = await machine.signals.send(identityOf(row, leader), 'SIGKILL');
    if (row.pid === leader.pid || outcome !== 'not-permitted') return false;
  }
  return true;
}

async function isCallerInGroup(machine: Machine, processGroup: number): Promise<boolean> {
  for (const pid of await machine.inspector.ownLineage()) {
    const seen = await machine.inspector.observe(pid);
    if (seen.kind === 'process' && seen.processGroup === processGroup && pid !== processGroup) return true;
  }
  return false;
}

/**
 * Polls until every one of them is dead, or the deadline is over: never a blind sleep. Returns when one was seen alive
 * last, by the monotonic clock, if any was.
 */
async function watchEnd(
  machine: Pick<Machine, 'clock' | 'inspector'>,
  identities: readonly ProcessIdentity[],
  deadline: number,
): Promise<number | undefined> {
  let waiting = identities;
  let aliveMs: number | undefined;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, slowestPollMs)) {
    const lookedMs = machine.clock.monotonicMs();
    const living: ProcessIdentity[] = [];
    for (const identity of waiting) if (!isDead(await sight(machine.inspector, identity))) living.push(identity);
    if (living.length === 0) return aliveMs;
    aliveMs = lookedMs;
    waiting = living;
    const leftMs = deadline - machine.clock.monotonicMs();
    if (leftMs <= 0) return aliveMs;
    await machine.clock.sleep(Math.min(pollMs, leftMs));
  }
}

function allOf(remains: Remains): readonly ProcessRow[] {
  return [...(remains.leader ? [remains.leader] : []), ...remains.group, ...remains.escaped];
}

function identityOf(row: ProcessRow, sameWorld: ProcessIdentity): ProcessIdentity {
  const { bootId, pidNamespace, timeNamespace, host } = sameWorld;
  return { pid: row.pid, startToken: row.startToken, bootId, pidNamespace, timeNamespace, host };
}

function keyOf(row: ProcessRow): string {
  return `${row.pid}:${row.startToken}`;
}

function survived(name: string, rows: readonly ProcessRow[]): DaemonError {
  const pids = rows.map((row) => row.pid);
  return new DaemonError('stop-timeout', `pid ${pids.join(', ')} did not end within ${killTimeoutMs / 1000} s of SIGKILL`, { name, pids });
}

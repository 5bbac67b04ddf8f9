import type { Descriptor } from './descriptor.js';
import type { Machine, ProcessRow } from './ports.js';

/** What is left of an instance: its leader, the rest of its process group, and those that left the group. */
export interface Remains {
  readonly leader: ProcessRow | undefined;
  readonly group: readonly ProcessRow[];
  readonly escaped: readonly ProcessRow[];
}

export interface RemainsOf {
  readonly descriptor: Descriptor;
  /** When the leader was seen alive last, by the monotonic clock, if it was. */
  readonly leaderAliveMs?: number | undefined;
  /** The group at the last look: while one of these lives, it is the same. */
  readonly kin?: readonly ProcessRow[];
}

/** Within this time no system goes through all its pids, so whoever bears the number of a leader's group belongs to it. */
const pidRestMs = 100;

/** Finds the living processes of an instance. Zombies are dead; the caller and its ancestors are never among them, the leader apart. */
export async function findRemains(machine: Pick<Machine, 'clock' | 'inspector'>, of: RemainsOf): Promise<Remains> {
  const { descriptor } = of;
  const lineage = new Set(await machine.inspector.ownLineage());
  const rows = await machine.inspector.survey();
  const living = rows.filter((row) => !row.zombie);
  // A zombie, too, holds its slot, and with it the number of its group.
  const slot = rows.find((row) => row.pid === descriptor.pid);
  // An intent names the starter, which is no part of the instance, and neither is its group.
  const isOurs = slot?.startToken === descriptor.startToken && !descriptor.intent;
  const leader = isOurs && !slot.zombie ? slot : undefined;
  const others = living.filter((row) => row !== leader && !lineage.has(row.pid));

  // A stranger in the leader's slot proves that the group is gone: while it lived, its number could not be reused.
  const isForeign = descriptor.intent || (slot && !isOurs);
  const candidates = isForeign ? [] : others.filter((row) => row.processGroup === descriptor.pid);
  // By the clock, since we may have been suspended in between, for as long as it takes to lead this number and leave it.
  const wasJustAlive = of.leaderAliveMs !== undefined && machine.clock.monotonicMs() - of.leaderAliveMs <= pidRestMs;
  const isProven = isOurs || wasJustAlive || candidates.some((row) => isAmong(row, of.kin ?? []));
  const group = isProven || (await belongTo(machine, descriptor, candidates)) ? candidates : [];

  const inGroup = new Set(group);
  const escaped: ProcessRow[] = [];
  const runs = descriptor.former ? [descriptor, descriptor.former] : [descriptor];
  for (const row of others) {
    if (inGroup.has(row)) continue;
    const possible = runs.filter(({ startToken }) => startedNoEarlier(row.startToken, startToken));
    const marks = possible.length > 0 ? await machine.inspector.marksOf(row.pid) : undefined;
    if (possible.some(({ instanceId }) => instanceId === marks?.instanceId)) escaped.push(row);
  }
  return { leader, group, escaped };
}

/** Processes that carry the marks of this descriptor path, for a descriptor whose content is lost. */
export async function findMarked(machine: Pick<Machine, 'inspector'>, descriptorPath: string): Promise<readonly ProcessRow[]> {
  const lineage = new Set(await machine.inspector.ownLineage());
  const found: ProcessRow[] = [];
  for (const row of await machine.inspector.survey()) {
    if (row.zombie || lineage.has(row.pid)) continue;
    if ((await machine.inspector.marksOf(row.pid))?.descriptor === descriptorPath) found.push(row);
  }
  return found;
}

/**
 * Without its leader, a group is the instance's own only if every member could be, none is known to be another's, and one
 * proves it: a stranger that led this number since, and is gone too, would leave members that could be ours all the same.
 */
async function belongTo(machine: Pick<Machine, 'inspector'>, descriptor: Descriptor, members: readonly ProcessRow[]): Promise<boolean> {
  let isProven = false;
  for (const member of members) {
    if (member.session !== descriptor.pid || member.uid !== descriptor.uid) return false;
    if (!startedNoEarlier(member.startToken, descriptor.startToken)) return false;
    const marks = await machine.inspector.marksOf(member.pid);
    if (marks && marks.instanceId !== descriptor.instanceId) return false;
    isProven ||= marks !== undefined;
  }
  return isProven;
}

function isAmong(row: ProcessRow, rows: readonly ProcessRow[]): boolean {
  return rows.some(({ pid, startToken }) => pid === row.pid && startToken === row.startToken);
}

/** Without leading zeros, so that the longer one is the larger: they may be larger than any number of ours. */
function isCount(token: string): boolean {
  return /^(?:0|[1-9]\d*)$/.test(token);
}

/** Start tokens of one boot are counts of equal units; what is no count can't be ordered. */
function startedNoEarlier(token: string, than: string): boolean {
  if (!isCount(token) || !isCount(than)) return false;
  return token.length === than.length ? token >= than : token.length > than.length;
}

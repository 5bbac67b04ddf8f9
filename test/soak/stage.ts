import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeProcess, killSeen, markedProcesses } from '../support/processes.js';
import { plainEnvironment } from '../support/suite.js';
import type { Player } from './cast.js';
import type { MemorySample } from './figures.js';
import { isStill, leadersIn, nameOf, pssOf, readIfThere, twinsAmong } from './sightings.js';
import { type Failure, mostVerbMs } from './users.js';

/** What a verb may answer where a daemon crashes at random, or is slow on a busy machine. */
const expectedFailures = ['ended-before-ready', 'ready-timeout'];
/** Enough to tell what went wrong, without a flood. */
const mostViolations = 20;
const tailBytes = 1_500;

/** Where a soak takes place: who is about what, what has been seen, and what must not be. */
export class Stage {
  readonly violations: string[] = [];
  readonly verbs: Record<string, number> = {};
  readonly failures: Record<string, number> = {};
  readonly memory: MemorySample[] = [];
  readonly instances = new Set<string>();
  slowestVerb = { what: 'none', ms: 0 };
  supervisorKills = 0;
  looks = 0;
  longestUnrecordedMs = 0;
  private readonly busy = new Map<string, number>();
  private readonly reserved = new Set<string>();
  private readonly killedAtMs = new Map<string, number>();
  private readonly wanted = new Map<string, 'up' | 'down'>();
  private readonly unrecordedSince = new Map<string, number>();

  constructor(
    readonly folder: string,
    readonly home: string,
    readonly players: readonly Player[],
    /** How long a user rests between two verbs, at most. */
    readonly idleMs: number,
  ) {}

  get env(): Record<string, string> {
    return { ...plainEnvironment(this.folder), DAEMONRY_HOME: this.home };
  }

  pause(ms: number): Promise<void> {
    return sleep(ms);
  }

  enter({ name }: Player): boolean {
    if (this.reserved.has(name)) return false;
    this.busy.set(name, (this.busy.get(name) ?? 0) + 1);
    return true;
  }

  leave({ name }: Player, wasKilled = false): void {
    this.busy.set(name, (this.busy.get(name) ?? 1) - 1);
    if (wasKilled) this.killedAtMs.set(name, performance.now());
  }

  reserve({ name }: Player): boolean {
    if (this.reserved.has(name)) return false;
    this.reserved.add(name);
    return true;
  }

  release({ name }: Player): void {
    this.reserved.delete(name);
  }

  isAlone({ name }: Player, afterKilledMs: number): boolean {
    return (this.busy.get(name) ?? 0) === 0 && performance.now() - (this.killedAtMs.get(name) ?? -afterKilledMs) >= afterKilledMs;
  }

  /** What the last verb that succeeded has left it to be; `undefined` where that can't be told. */
  wants({ name }: Player, state: 'up' | 'down' | undefined): void {
    if (state === undefined) this.wanted.delete(name);
    else this.wanted.set(name, state);
  }

  isWanted({ name }: Player): boolean {
    return this.wanted.get(name) === 'up';
  }

  count(verb: string): void {
    this.verbs[verb] = (this.verbs[verb] ?? 0) + 1;
  }

  async timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    const alarm = setTimeout(() => this.violate(`${what} hangs for more than ${mostVerbMs} ms`), mostVerbMs);
    try {
      return await work();
    } finally {
      clearTimeout(alarm);
      const ms = Math.round(performance.now() - began);
      if (ms > this.slowestVerb.ms) this.slowestVerb = { what, ms };
    }
  }

  failed(what: string, { code, message, facts }: Failure, hadNoChance: boolean): void {
    const ofSupervisor = facts.name === 'supervisor' ? ' of the supervisor' : '';
    const key = `${code}${ofSupervisor}${expectedFailures.includes(code) ? '' : `: ${message}`}`;
    this.failures[key] = (this.failures[key] ?? 0) + 1;
    if ((expectedFailures.includes(code) && !ofSupervisor) || hadNoChance) return;
    this.violate(`${what} failed: ${code}${ofSupervisor}: ${message}`);
  }

  violate(what: string): void {
    if (this.violations.length < mostViolations) this.violations.push(`${new Date().toISOString()} ${what}`);
  }

  /** Nothing of this daemon lives, whoever started it. */
  insistOnNothing(player: Player, what: string): boolean {
    const left = markedProcesses(this.home).filter((seen) => nameOf(seen) === player.name && isStill(seen));
    if (left.length === 0) return true;
    const processes = left.map(({ pid, instanceId }) => `${describeProcess(pid)} of ${instanceId}`).join(', ');
    this.violate(`${player.name} ${what}: ${processes}\n${this.tell(player.name)}\n${this.tell('supervisor')}`);
    for (const seen of left) killSeen(seen);
    return false;
  }

  /** One look at everything. */
  look(): void {
    this.looks++;
    const leaders = leadersIn(this.home, this.players);
    for (const { instanceId } of leaders) this.instances.add(instanceId);
    for (const twins of twinsAmong(leaders)) this.violate(twins);
    const nowMs = performance.now();
    for (const { name, pid } of leaders) {
      const pssKb = name === 'supervisor' ? pssOf(pid) : undefined;
      if (pssKb !== undefined) this.memory.push({ atMs: nowMs, pid, pssKb });
    }
    this.lookForUnrecorded(nowMs);
  }

  private lookForUnrecorded(nowMs: number): void {
    const seen = new Set<string>();
    for (const { pid, startToken, instanceId, descriptor } of markedProcesses(this.home)) {
      if (readIfThere(descriptor).includes(instanceId)) continue;
      const key = `${pid}:${startToken}`;
      seen.add(key);
      const since = this.unrecordedSince.get(key) ?? nowMs;
      this.unrecordedSince.set(key, since);
      this.longestUnrecordedMs = Math.max(this.longestUnrecordedMs, Math.round(nowMs - since));
    }
    for (const key of this.unrecordedSince.keys()) if (!seen.has(key)) this.unrecordedSince.delete(key);
  }

  killSupervisor(): void {
    for (const leader of leadersIn(this.home, [])) {
      killSeen(leader);
      this.supervisorKills++;
    }
  }

  /** What is known of a daemon, for whoever has to find out what happened. */
  tell(name: string): string {
    const end = (file: string) =>
      readIfThere(join(this.home, name, file))
        .trimEnd()
        .slice(-tailBytes);
    return ['daemon.json', 'runs.ndjson', 'daemon.log'].map((file) => `--- ${name}/${file}\n${end(file)}`).join('\n');
  }

  recordedInstance(name: string): string | undefined {
    try {
      return JSON.parse(readFileSync(join(this.home, name, 'daemon.json'), 'utf8')).instanceId;
    } catch {
      return undefined;
    }
  }
}

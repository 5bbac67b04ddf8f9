import type { DaemonFolder } from '../../src/adapters/simulated/simulated-disk.js';
import type { SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';
import type { Descriptor } from '../../src/domain/descriptor.js';
import type { Supervisor } from '../../src/domain/supervisor.js';
import type { Invariant, Ledger } from './invariants.js';

/** From when until when somebody is about to start a daemon, or a supervisor is for somebody. */
export interface Starting {
  readonly name: string;
  endedMs: number;
}

/** Why a daemon is not to run, until somebody starts it. */
interface Rest {
  readonly sinceMs: number;
  readonly why: string;
}

/** A gate that was opened in the last moment of a starter lets its daemon through a little later. */
const slowestGateMs = 5;

/** Judges what supervisors do against what was asked for: with an account of its own, that no supervisor writes. */
export class SupervisionJudge {
  /** Those whose process lives keep something. */
  readonly supervisors = new Map<Supervisor, { readonly ended: boolean }>();
  private readonly startings: Starting[] = [];
  private readonly rests = new Map<string, Rest>();
  private readonly restarts = new Map<string, number>();
  private readonly judgedFailures = new Set<string>();
  private readonly judgedRuns = new Map<string, DaemonFolder['runs']>();
  /** Instances that somebody started. */
  private readonly begun = new Set<string>();
  private ranBefore = 0;

  constructor(
    private readonly world: SimulatedWorld,
    private readonly accuse: (invariant: Invariant, message: string) => void,
  ) {}

  beginStarting(name: string): Starting {
    const starting = { name, endedMs: Number.POSITIVE_INFINITY };
    this.startings.push(starting);
    return starting;
  }

  endStarting(starting: Starting): void {
    starting.endedMs = Math.min(starting.endedMs, this.world.schedule.nowMs);
  }

  /** A stop has been successful, at this moment at the earliest. */
  noteStop(name: string, sinceMs: number): void {
    this.rests.set(name, { sinceMs, why: 'was stopped' });
  }

  /** What is recorded is looked at first: a new run comes after it. */
  look(ledger: Ledger): void {
    this.judgeKeepers();
    for (const folder of this.world.disk.folders) {
      this.judgeRecords(folder);
      this.judgeFailure(folder);
      this.noteStart(folder);
    }
    if (ledger.ran.size === this.ranBefore) return;
    for (const instanceId of [...ledger.ran.keys()].slice(this.ranBefore)) this.judgeRun(instanceId);
    this.ranBefore = ledger.ran.size;
  }

  /** Whoever keeps what another one keeps that lives. */
  private judgeKeepers(): void {
    const keepers = new Map<string, Supervisor>();
    for (const [supervisor, { ended }] of this.supervisors) {
      if (ended) continue;
      for (const { name, instanceId } of supervisor.daemons) {
        if (keepers.has(instanceId)) this.accuse('one-keeper', `${instanceId} of ${name} is kept twice`);
        keepers.set(instanceId, supervisor);
      }
    }
  }

  private rest(name: string, why: string): void {
    this.rests.set(name, { sinceMs: this.world.schedule.nowMs, why });
  }

  private judgeRecords(folder: DaemonFolder): void {
    const { name, runs, spec } = folder;
    const before = this.judgedRuns.get(name);
    if (runs === before) return;
    this.judgedRuns.set(name, runs);
    const [newest] = runs;
    if (!newest) return;
    if (runs.filter(({ instanceId }) => instanceId === newest.instanceId).length > 1)
      this.accuse('one-record', `the end of ${newest.instanceId} of ${name} is recorded twice`);
    if (newest.cause === 'exit' && spec?.restart === 'on-failure') this.rest(name, `ended well, as ${newest.instanceId}`);
  }

  private judgeFailure({ name, record }: DaemonFolder): void {
    if (record.kind !== 'present' || record.descriptor.phase !== 'failed') return;
    const { instanceId } = record.descriptor;
    if (this.judgedFailures.has(instanceId)) return;
    this.judgedFailures.add(instanceId);
    this.rest(name, `was given up, as ${instanceId}`);
  }

  private judgeRun(instanceId: string): void {
    const descriptor = this.recordOf(instanceId);
    if (!descriptor) return;
    const { name } = descriptor;
    const rest = this.rests.get(name);
    if (rest && !this.isBeingStarted(name, rest.sinceMs))
      this.accuse('no-unasked-restart', `${name} ${rest.why}, and runs again as ${instanceId}, though nobody has started it`);
    this.rests.delete(name);
    this.countRestart(descriptor);
  }

  /** As they were made: their history says so too, but it is a supervisor that writes it. */
  private countRestart({ name, instanceId }: Descriptor): void {
    if (this.begun.has(instanceId)) return;
    const count = (this.restarts.get(name) ?? 0) + 1;
    this.restarts.set(name, count);
    const { restartLimit = 0 } = this.world.disk.locate({ name }).spec ?? {};
    if (restartLimit > 0 && count > restartLimit && this.world.kernel.bootedAtMs === 0)
      this.accuse('restart-limit', `${name} is restarted ${count} times, now as ${instanceId}, where ${restartLimit} are the limit`);
  }

  /** Whoever starts a daemon begins the count anew, also where the starter is killed before the daemon runs. */
  private noteStart({ name, record }: DaemonFolder): void {
    if (record.kind !== 'present' || (record.descriptor.history?.restarts ?? 0) > 0) return;
    const { instanceId } = record.descriptor;
    if (this.begun.has(instanceId) || !this.isBeingStarted(name, this.world.schedule.nowMs)) return;
    this.begun.add(instanceId);
    this.restarts.set(name, 0);
  }

  private isBeingStarted(name: string, sinceMs: number): boolean {
    return this.startings.some((starting) => starting.name === name && starting.endedMs + slowestGateMs >= sinceMs);
  }

  private recordOf(instanceId: string): Descriptor | undefined {
    for (const { record } of this.world.disk.folders)
      if (record.kind === 'present' && record.descriptor.instanceId === instanceId) return record.descriptor;
    return undefined;
  }
}

import type { Observation, Vantage } from '../../domain/identity.js';
import type { DaemonMarks, Environment, ProcessInspector, ProcessRow, ProcessUsage } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';
import type { SimulatedProcess } from './simulated-process.js';

export class SimulatedProcessInspector implements ProcessInspector {
  private here: Vantage | undefined;

  constructor(private readonly actor: SimulatedActor) {}

  /** At once, since it is the same for as long as its actor lives: nothing that anybody does in between could matter. */
  vantage(): Vantage {
    this.here ??= { ...this.actor.identity, uid: this.actor.process.uid, exclusiveHome: this.actor.exclusiveHome };
    return this.here;
  }

  observe(pid: number): Promise<Observation> {
    return this.actor.call('inspector.observe', () => {
      const seen = this.slot(pid);
      if (!seen) return { kind: 'absent' };
      if (this.isHidden(seen)) return { kind: 'hidden' };
      const { startToken, uid, processGroup, session } = seen;
      return { kind: 'process', startToken, zombie: !seen.isAlive, uid, processGroup, session };
    });
  }

  isNamespaceInhabited(pidNamespace: string): Promise<boolean | undefined> {
    return this.actor.call('inspector.isNamespaceInhabited', () => {
      const { kernel } = this.actor.world;
      // Only from the first namespace are all others seen.
      if (this.actor.process.space !== kernel.root) return undefined;
      return kernel.spaces.has(pidNamespace);
    });
  }

  survey(): Promise<readonly ProcessRow[]> {
    return this.actor.call('inspector.survey', () => {
      const rows: ProcessRow[] = [];
      for (const process of this.actor.process.space.processes.values()) if (!this.isHidden(process)) rows.push(process.row());
      return rows;
    });
  }

  marksOf(pid: number): Promise<DaemonMarks | undefined> {
    return this.actor.call('inspector.marksOf', () => {
      const seen = this.slot(pid);
      if (!seen?.marks || !seen.isAlive || this.isHidden(seen) || !this.mayRead(seen)) return undefined;
      const { instanceId, descriptor } = seen.marks;
      return { instanceId, descriptor };
    });
  }

  usage(pid: number): Promise<ProcessUsage | undefined> {
    return this.actor.call('inspector.usage', () => {
      const seen = this.slot(pid);
      if (!seen?.isAlive) return undefined;
      return { uptimeMs: this.actor.world.schedule.nowMs - seen.bornMs, cpuPercent: 0, memoryBytes: 4_096 };
    });
  }

  handles(pid: number, signal: string): Promise<boolean | undefined> {
    return this.actor.call('inspector.handles', () => this.slot(pid)?.handlers.has(signal));
  }

  mayHaveMembers(processGroup: number): Promise<boolean> {
    return this.actor.call('inspector.mayHaveMembers', () =>
      [...this.actor.process.space.processes.values()].some((process) => process.processGroup === processGroup),
    );
  }

  environmentOf(pid: number): Promise<Environment | undefined> {
    return this.actor.call('inspector.environmentOf', () => {
      const seen = this.slot(pid);
      return seen?.isAlive && this.mayRead(seen) ? {} : undefined;
    });
  }

  /** No such count is kept here. */
  memoryKills(): undefined {
    return undefined;
  }

  ownLineage(): Promise<readonly number[]> {
    return this.actor.call('inspector.ownLineage', () => {
      const lineage: number[] = [];
      for (let one: SimulatedProcess | null = this.actor.process; one && one.pid > 1; one = one.parent) lineage.push(one.pid);
      return lineage;
    });
  }

  private slot(pid: number): SimulatedProcess | undefined {
    return this.actor.process.space.processes.get(pid);
  }

  private isHidden(seen: SimulatedProcess): boolean {
    return seen.isHidden || (this.actor.world.hidesOthers && !this.mayRead(seen));
  }

  private mayRead(seen: SimulatedProcess): boolean {
    return this.actor.process.uid === 0 || seen.uid === this.actor.process.uid;
  }
}

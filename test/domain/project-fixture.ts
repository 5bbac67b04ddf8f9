import { DaemonError } from '../../src/domain/daemon-error.js';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';
import type { DaemonState } from '../../src/domain/daemon-state.js';
import type { Descriptor } from '../../src/domain/descriptor.js';
import type { DaemonView } from '../../src/domain/look.js';
import type { Clock } from '../../src/domain/ports.js';
import type { DependencyCondition, Project, ProjectDaemon } from '../../src/domain/project.js';
import type { BringUpOptions, KnownEnd, ProjectDaemons } from '../../src/domain/project-daemons.js';
import type { ProjectSightings } from '../../src/domain/project-plan.js';
import type { StartResult } from '../../src/domain/start-daemon.js';
import { specOf } from './daemon-fixture.js';
import { fc } from './property.js';

export const file = '/srv/shop/daemonry.yaml';

export function daemon(
  key: string,
  dependsOn: Readonly<Record<string, DependencyCondition>> = {},
  over: Partial<ProjectDaemon> = {},
): ProjectDaemon {
  return { key, name: `shop.${key}`, spec: specOf(['sleep'], { project: file }), dependsOn, groups: [], ...over };
}

export function project(...daemons: readonly ProjectDaemon[]): Project {
  return { name: 'shop', file, daemons };
}

/** Any project without a cycle: each daemon depends on some that were drawn before it, and the file has them in any order. */
export const anyProject: fc.Arbitrary<Project> = fc
  .array(
    fc.record({
      needs: fc.array(fc.tuple(fc.nat(), fc.constantFrom<DependencyCondition>('started', 'ready', 'healthy', 'exited')), { maxLength: 4 }),
      order: fc.nat(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((drawn) => {
    const needsOf = drawn.map(({ needs }, index) =>
      needs.flatMap(([at, condition]) => (index === 0 ? [] : { key: `d${at % index}`, condition })),
    );
    const tasks = new Set(needsOf.flat().flatMap(({ key, condition }) => (condition === 'exited' ? key : [])));
    // A file with both is refused: what has ended is not healthy.
    const sound = ({ key, condition }: { key: string; condition: DependencyCondition }) =>
      [key, condition === 'healthy' && tasks.has(key) ? 'ready' : condition] as const;
    const daemons = needsOf.map((needs, index) => ({
      one: daemon(`d${index}`, Object.fromEntries(needs.map(sound))),
      at: drawn[index]?.order ?? 0,
    }));
    return project(...daemons.sort((a, b) => a.at - b.at).map(({ one }) => one));
  });

/** Time in memory: everybody who sleeps wakes in order, and nothing takes any time. */
export function quickClock(): Clock {
  let now = 0;
  return {
    monotonicMs: () => now,
    wallTime: () => '2026-01-01T00:00:00.000Z',
    sleep: async (ms) => {
      await new Promise((resolve) => setImmediate(resolve));
      now += ms;
    },
  };
}

interface Kept {
  state: DaemonState;
  spec: DaemonSpec | undefined;
  end?: KnownEnd;
}

/** Daemons in memory. What is done with them stands in `events`; what shall go wrong is said before. */
export class FakeProjectDaemons implements ProjectDaemons {
  readonly kept = new Map<string, Kept>();
  readonly events: string[] = [];
  /** Thrown by the start of a key. */
  readonly failing = new Map<string, unknown>();
  /** How one ends that others wait for; without a word, well. */
  readonly ends = new Map<string, KnownEnd>();
  /** Probes that fail before the first that does not. */
  readonly unhealthyFor = new Map<string, number>();
  /** Called while the start of a daemon is under way, which takes as long as this. */
  readonly held = new Map<string, () => void | Promise<void>>();

  private stopsAsked = 0;

  get sightings(): ProjectSightings {
    return new Map([...this.kept].map(([name, { state, spec }]) => [name.toLowerCase(), { name, state, phase: null, spec }]));
  }

  running(name: string, spec: DaemonSpec | undefined): void {
    this.kept.set(name, { state: 'running', spec });
  }

  async names(): Promise<readonly string[]> {
    return [...this.kept.keys()];
  }

  async look(name: string): Promise<DaemonView> {
    const state = this.kept.get(name)?.state ?? 'stopped';
    return { state, phase: state === 'running' ? 'ready' : null, place: { name } } as DaemonView;
  }

  async remembered(name: string): Promise<DaemonSpec | undefined> {
    return this.kept.get(name)?.spec;
  }

  start(name: string, spec: DaemonSpec, options: BringUpOptions): Promise<StartResult> {
    return this.launch('start', name, spec, options);
  }

  replace(name: string, spec: DaemonSpec, options: BringUpOptions): Promise<StartResult> {
    return this.launch('replace', name, spec, options);
  }

  /** What is asked for first takes longest, so that only who waits sees them in order. */
  async stop(name: string) {
    for (let ticks = 12 - this.stopsAsked++; ticks > 0; ticks--) await new Promise((resolve) => setImmediate(resolve));
    this.events.push(`stop ${name}`);
    const wasRunning = this.kept.get(name)?.state === 'running';
    this.kept.set(name, { state: 'stopped', spec: this.kept.get(name)?.spec });
    return { name, outcome: wasRunning ? 'stopped' : 'already-stopped', pid: null, escaped: [], beyondReach: [] } as const;
  }

  async isHealthy(name: string): Promise<boolean> {
    const left = this.unhealthyFor.get(name) ?? 0;
    this.unhealthyFor.set(name, left - 1);
    if (left <= 0) this.events.push(`healthy ${name}`);
    return left <= 0;
  }

  async exitOf(name: string): Promise<KnownEnd> {
    const end = this.ends.has(name) ? this.ends.get(name) : { exitCode: 0, signal: null };
    if (end !== undefined) this.events.push(`end ${name}`);
    return end;
  }

  private async launch(verb: string, name: string, spec: DaemonSpec, { onLaunched, signal }: BringUpOptions): Promise<StartResult> {
    if (verb === 'start' && this.kept.get(name)?.state === 'running') return this.result('already-running', name);
    this.events.push(`${verb} ${name}`);
    onLaunched?.();
    await new Promise((resolve) => setImmediate(resolve));
    await this.held.get(name)?.();
    if (this.failing.has(name)) throw this.failing.get(name);
    if (signal?.aborted) throw new DaemonError('cancelled', `the start of ${name} was cancelled`, { name });
    this.running(name, spec);
    this.events.push(`ready ${name}`);
    return this.result('started', name);
  }

  private result(outcome: 'started' | 'already-running', name: string): StartResult {
    return { outcome, descriptor: { name, pid: 7 } as Descriptor, path: '', differs: [], end: () => undefined };
  }
}

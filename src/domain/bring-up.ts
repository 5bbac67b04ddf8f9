import { DaemonError, isDaemonError } from './daemon-error.js';
import { wavesOf } from './dependency-graph.js';
import type { Clock, ProcessEnd } from './ports.js';
import type { DependencyCondition, Project, ProjectDaemon } from './project.js';
import type { ProjectDaemons } from './project-daemons.js';
import { isRunToItsEnd } from './project-plan.js';
import type { ProjectProgress, ProjectResult } from './project-result.js';
import { graphOf } from './project-selection.js';
import type { StartResult } from './start-daemon.js';

/** One daemon, and what is to be done with it. What is kept is only there for what depends on it. */
export interface BringUpStep {
  readonly daemon: ProjectDaemon;
  readonly action: 'start' | 'replace' | 'keep';
  readonly why: string;
}

export interface BringUpContext extends ProjectProgress {
  readonly daemons: ProjectDaemons;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

const firstPollMs = 5;
const slowestPollMs = 250;

/**
 * Starts daemons as early as what they depend on allows, side by side. One that fails has everything skipped that depends
 * on it, and nothing else. All dependencies of a step are steps too. Results stand in the order of the dependencies.
 */
export async function bringUp(project: Project, steps: readonly BringUpStep[], context: BringUpContext): Promise<readonly ProjectResult[]> {
  const runs = new Map<string, DaemonRun>();
  for (const step of inOrder(project, steps)) runs.set(step.daemon.key, new DaemonRun(project, step, context, runs));
  return Promise.all([...runs.values()].map((run) => run.result));
}

function inOrder(project: Project, steps: readonly BringUpStep[]): readonly BringUpStep[] {
  const byKey = new Map(steps.map((step) => [step.daemon.key, step]));
  return wavesOf(graphOf(project))
    .flat()
    .flatMap((key) => byKey.get(key) ?? []);
}

/** How long to wait for an end or for health: as long as the daemon may take to get ready. */
const boundOf = ({ spec }: ProjectDaemon) => spec.readyTimeoutMs;

/** Whether something came to be: told once, and whoever asks waits for it. */
class Milestone {
  tell: (isReached: boolean) => void = () => {};
  readonly reached = new Promise<boolean>((resolve) => {
    this.tell = resolve;
  });
}

class DaemonRun {
  readonly result: Promise<ProjectResult>;
  private readonly launched = new Milestone();
  private readonly ready = new Milestone();

  /** Its dependencies stand in `runs` already. */
  constructor(
    private readonly project: Project,
    private readonly step: BringUpStep,
    private readonly context: BringUpContext,
    runs: ReadonlyMap<string, DaemonRun>,
  ) {
    this.result = this.run(runs);
  }

  private async run(runs: ReadonlyMap<string, DaemonRun>): Promise<ProjectResult> {
    const result = await this.settle(runs).catch((error: unknown): ProjectResult => this.failed(error));
    this.launched.tell(isWell(result));
    this.ready.tell(isWell(result));
    this.context.onProgress?.(this.name, result);
    return result;
  }

  private get name(): string {
    return this.step.daemon.name;
  }

  /** `undefined` when it is so; else why it is not and never will be. */
  private async reaches(condition: DependencyCondition): Promise<string | undefined> {
    if (condition === 'started' && (await this.launched.reached)) return undefined;
    if (condition === 'ready' && (await this.ready.reached)) return undefined;
    const result = await this.result;
    if (isWell(result)) return undefined;
    if (result.outcome === 'starting') return `${this.name} is not ready yet`;
    return result.outcome === 'failed' ? `${this.name} failed` : `${this.name} was ${result.outcome}`;
  }

  private async settle(runs: ReadonlyMap<string, DaemonRun>): Promise<ProjectResult> {
    const { daemon, action, why } = this.step;
    const { name } = daemon;
    if (action === 'keep') return this.keep(why);
    this.context.onProgress?.(name, 'waiting');
    const because = await firstReason(Object.entries(daemon.dependsOn).map(([key, condition]) => runs.get(key)?.reaches(condition)));
    if (this.context.signal?.aborted) return { kind: 'cancelled', name, outcome: 'cancelled' };
    if (because !== undefined) return { kind: 'skipped', name, outcome: 'skipped', because };
    return isRunToItsEnd(this.project, daemon) ? this.runToItsEnd() : this.bringUp();
  }

  /** It runs; whether it is healthy is asked where somebody depends on that. */
  private async keep(why: string): Promise<ProjectResult> {
    const { name } = this.step.daemon;
    if ((await this.context.daemons.look(name)).state === 'running') await this.untilHealthy();
    return { kind: 'kept', name, outcome: 'kept', why };
  }

  private async bringUp(): Promise<ProjectResult> {
    const { name } = this.step.daemon;
    const start = await this.act();
    await this.untilHealthy();
    const isReplaced = this.step.action === 'replace' && start.outcome === 'started';
    return { kind: 'up', name, outcome: isReplaced ? 'replaced' : start.outcome, start };
  }

  private async act(): Promise<StartResult> {
    const { daemon, action } = this.step;
    const { daemons, signal, onProgress } = this.context;
    onProgress?.(daemon.name, action === 'replace' ? 'replacing' : 'starting');
    const options = { signal, onLaunched: () => this.launched.tell(true) };
    const launch = action === 'replace' ? daemons.replace : daemons.start;
    const start = await launch.call(daemons, daemon.name, daemon.spec, options);
    // Kept though it was not ready in time: whoever needs it ready does not have it.
    if (start.outcome !== 'starting') this.ready.tell(true);
    return start;
  }

  private async runToItsEnd(): Promise<ProjectResult> {
    const { daemon } = this.step;
    const end = (await this.endBeforeReady()) ?? (await this.untilExited());
    if (end.exitCode === null || !daemon.spec.successCodes.includes(end.exitCode)) throw endedBadly(daemon, end);
    // What is left of it goes, and its record: it is not to be taken for a daemon that died.
    await this.context.daemons.stop(daemon.name);
    return { kind: 'exited', name: daemon.name, outcome: 'exited', exitCode: end.exitCode };
  }

  /** To have ended is what it is there for, however soon. `undefined` where it runs. */
  private async endBeforeReady(): Promise<ProcessEnd | undefined> {
    try {
      await this.act();
      return undefined;
    } catch (error) {
      if (!isDaemonError(error) || error.code !== 'ended-before-ready') throw error;
      const { exitCode = null, signal = null } = error.facts as unknown as Partial<ProcessEnd>;
      if (exitCode === null || !this.step.daemon.spec.successCodes.includes(exitCode)) throw error;
      return { exitCode, signal };
    }
  }

  private async untilExited(): Promise<ProcessEnd> {
    const { daemon } = this.step;
    this.context.onProgress?.(daemon.name, 'waiting for its end');
    const end = await this.poll(() => this.context.daemons.exitOf(daemon.name));
    if (end === 'unknown') {
      const why = `how ${daemon.name} ended can't be told: it was started by somebody else, and left no word`;
      throw new DaemonError('unsupported', why, { name: daemon.name });
    }
    if (end) return end;
    if (daemon.spec.onTimeout === 'stop') await this.context.daemons.stop(daemon.name);
    throw this.tooLate('had not ended');
  }

  private async untilHealthy(): Promise<void> {
    const { daemon } = this.step;
    if (!this.project.daemons.some(({ dependsOn }) => dependsOn[daemon.key] === 'healthy')) return;
    this.context.onProgress?.(daemon.name, 'waiting until it is healthy');
    const isHealthy = await this.poll(
      async () => (await this.context.daemons.isHealthy(daemon.name, daemon.spec)) || (await this.whyNever()),
    );
    if (isHealthy === undefined) throw this.tooLate('was not healthy');
    if (isHealthy !== true) throw isHealthy;
  }

  /** One that has ended does not get healthy any more. */
  private async whyNever(): Promise<DaemonError | undefined> {
    const { state, phase, place } = await this.context.daemons.look(this.name);
    if (state === 'running' || phase === 'backoff') return undefined;
    return new DaemonError('ended-before-ready', `${this.name} ended before it was healthy`, { name: this.name, log: place.log });
  }

  /** Looks until there is an answer, or the time is over. Throws `cancelled`. */
  private async poll<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    const { clock, signal } = this.context;
    const deadline = clock.monotonicMs() + boundOf(this.step.daemon);
    for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, slowestPollMs)) {
      const found = await look();
      if (found !== undefined) return found;
      if (signal?.aborted) throw new DaemonError('cancelled', `the wait for ${this.name} was cancelled`, { name: this.name });
      const leftMs = deadline - clock.monotonicMs();
      if (leftMs <= 0) return undefined;
      await clock.sleep(Math.min(pollMs, leftMs), signal);
    }
  }

  private tooLate(what: string): DaemonError {
    const text = `${this.name} ${what} within ${boundOf(this.step.daemon)} ms, its ready_timeout`;
    return new DaemonError('wait-timeout', text, { name: this.name });
  }

  private failed(error: unknown): ProjectResult {
    const isCancelled = isDaemonError(error) && error.code === 'cancelled';
    return isCancelled
      ? { kind: 'cancelled', name: this.name, outcome: 'cancelled' }
      : { kind: 'failed', name: this.name, outcome: 'failed', error };
  }
}

function isWell(result: ProjectResult): boolean {
  switch (result.kind) {
    case 'up':
      return result.outcome !== 'starting';
    case 'exited':
    case 'kept':
      return true;
    default:
      return false;
  }
}

/** The first reason to come, or `undefined` when all have come to none. */
function firstReason(waits: readonly (Promise<string | undefined> | undefined)[]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    for (const wait of waits) wait?.then((reason) => reason !== undefined && resolve(reason), reject);
    Promise.all(waits).then(() => resolve(undefined), reject);
  });
}

function endedBadly({ name }: ProjectDaemon, { exitCode, signal }: ProcessEnd): DaemonError {
  const how = signal ? `killed by ${signal}` : `exit code ${exitCode}`;
  return new DaemonError('ended-badly', `${name} ended (${how}), and others wait for a good end`, { name, exitCode, signal });
}

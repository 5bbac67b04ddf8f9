import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor } from './descriptor.js';
import { type DaemonView, look } from './look.js';
import type { Machine } from './ports.js';
import type { BringUpOptions, KnownEnd, ProjectDaemons } from './project-daemons.js';
import type { RestartRequest } from './restart-daemon.js';
import type { RunRecord } from './run-record.js';
import type { StartRequest, StartResult } from './start-daemon.js';
import { type StopResult, stopDaemon } from './stop-daemon.js';

/** One probe of a running daemon's health, within the time that its spec gives it. */
export type ProbeHealth = (spec: DaemonSpec, running: DaemonView) => Promise<boolean>;

/** Who starts them, and keeps them where their specs ask for that. */
export interface ProjectStarter {
  start(request: StartRequest): Promise<StartResult>;
  restart(request: RestartRequest): Promise<StartResult>;
}

/** How long an end may take to be told, after the process is seen dead: to its parent, or by a supervisor to the recorder. */
const endToldWithinMs = 1_000;
const pollMs = 5;
const mostRunsRead = 20;

/** Daemons of a home. */
export class KeptProjectDaemons implements ProjectDaemons {
  private readonly started = new Map<string, StartResult>();

  constructor(
    private readonly machine: Machine,
    private readonly probe: ProbeHealth,
    private readonly starter: ProjectStarter,
  ) {}

  async names(): Promise<readonly string[]> {
    return this.machine.descriptors.names();
  }

  look(name: string): Promise<DaemonView> {
    return look(this.machine, { name });
  }

  async remembered(name: string): Promise<DaemonSpec | undefined> {
    return this.machine.descriptors.readSpec({ name });
  }

  async start(name: string, spec: DaemonSpec, { signal, onLaunched }: BringUpOptions): Promise<StartResult> {
    return this.keep(name, await this.starter.start({ ref: { name }, spec, signal, onLaunched }));
  }

  async replace(name: string, spec: DaemonSpec, { signal }: BringUpOptions): Promise<StartResult> {
    return this.keep(name, await this.starter.restart({ ref: { name }, spec, signal }));
  }

  stop(name: string, signal?: AbortSignal): Promise<StopResult> {
    return stopDaemon(this.machine, { ref: { name }, signal });
  }

  async isHealthy(name: string, spec: DaemonSpec): Promise<boolean> {
    const view = await this.look(name);
    return view.state === 'running' && (await this.probe(spec, view));
  }

  async exitOf(name: string): Promise<KnownEnd> {
    const { clock } = this.machine;
    const deadline = clock.monotonicMs() + endToldWithinMs;
    for (;;) {
      const end = await this.endSeen(name);
      if (end !== 'unknown' || clock.monotonicMs() >= deadline) return end;
      await clock.sleep(pollMs);
    }
  }

  private keep(name: string, result: StartResult): StartResult {
    if (result.outcome !== 'already-running') this.started.set(name, result);
    return result;
  }

  private async endSeen(name: string): Promise<KnownEnd> {
    const view = await this.look(name);
    // Between two runs it has not ended for good.
    if (view.state === 'running' || view.phase === 'backoff') return undefined;
    const started = this.started.get(name);
    const toldToUs = started?.end();
    if (toldToUs) return toldToUs;
    const last = await this.lastRun(name, view.descriptor ?? started?.descriptor);
    if (last && isRestarted(last, view)) return undefined;
    if (last && (last.exitCode !== null || last.signal !== null)) return last;
    return view.reason === 'ended-cleanly' ? { exitCode: 0, signal: null } : 'unknown';
  }

  /** The newest run on record, if that is this one or came after it. */
  private async lastRun(name: string, since: Descriptor | undefined): Promise<RunRecord | undefined> {
    const runs = await this.machine.runs.read({ name }, mostRunsRead);
    return runs.some(({ instanceId }) => instanceId === since?.instanceId) ? runs[0] : undefined;
  }
}

/** Whether a supervisor starts it again, though there is nothing to see of that yet. */
function isRestarted({ cause }: RunRecord, { phase, descriptor }: DaemonView): boolean {
  return phase !== 'failed' && descriptor?.supervisedBy !== null && (cause === 'crash' || cause === 'oom');
}

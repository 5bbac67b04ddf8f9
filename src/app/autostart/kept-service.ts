import type { ServiceFiles, ServiceRecord } from '../../adapters/autostart/service-files.js';
import { randomId } from '../../adapters/files/random-id.js';
import { exitCodeGivenUp } from '../../domain/autostart-installer.js';
import { bringUp } from '../../domain/bring-up.js';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import { KeptProjectDaemons } from '../../domain/kept-project-daemons.js';
import { look } from '../../domain/look.js';
import type { SupervisingMachine } from '../../domain/ports.js';
import { isOf, type Project } from '../../domain/project.js';
import { Supervisor } from '../../domain/supervisor.js';
import { healthProbe } from '../composition/health-probe.js';

type Conclusion = 'well' | 'badly' | 'given-up';

/** What a service manager makes of an end: of a failure, that it is to be started again. */
const exitCodes: Readonly<Record<Conclusion, number>> = { well: 0, badly: 1, 'given-up': exitCodeGivenUp };
/** Somebody may start it just when it is being taken over; not for ever. */
const mostAttempts = 5;

export interface ServiceEvents {
  say(text: string): void;
  /** Tells the service manager that all is ready. */
  ready(status: string): void;
}

/**
 * One service, in the foreground of its service manager: a supervisor of its daemons alone, which keeps them by their own
 * policies. It ends when none is left to be kept, and its exit code says whether it is to be started again: not after a
 * `stop` by hand, so that nobody fights over a daemon.
 */
export class KeptService {
  private readonly supervisor: Supervisor;
  private readonly ending = new AbortController();
  private kept = 0;
  /** What the keeper that is about to leave has concluded; nothing, where somebody else took its daemon away. */
  private concluded: Conclusion | undefined;
  private last: Conclusion = 'well';
  private whenKept = () => {};

  constructor(
    private readonly machine: SupervisingMachine,
    private readonly files: ServiceFiles,
    private readonly record: ServiceRecord,
    private readonly events: ServiceEvents,
  ) {
    const { pid, startToken } = machine.inspector.vantage() as { pid: number; startToken: string };
    const service = { manager: record.manager, id: record.id };
    this.supervisor = new Supervisor(
      machine,
      { pid, startToken, instanceId: randomId(), service },
      {
        say: (name, what) => events.say(`${name} ${what}`),
        concluded: (_name, how) => {
          this.concluded = how;
        },
        kept: () => this.count(),
      },
    );
    void this.supervisor.boundLogs().catch((error: Error) => events.say(error.message));
  }

  /** Until its daemons are over, or it was told to end. Resolves to the exit code. */
  async run(): Promise<number> {
    const failure = await this.bringUp().catch((error: unknown) => error as Error);
    if (!this.ending.signal.aborted) this.report(failure);
    if (failure) this.events.say(failure.message);
    // Those of a project that did come up are kept all the same.
    if (failure && this.kept === 0) this.last = 'badly';
    else this.events.ready(failure ? failure.message : `keeping ${this.supervisor.names.join(', ')}`);
    while (this.kept > 0) await this.change();
    this.supervisor.leave();
    return this.ending.signal.aborted ? 0 : exitCodes[this.last];
  }

  /** Stops all that it keeps, each within its own grace. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.supervisor.stopAll();
  }

  reload(): Promise<void> {
    return this.supervisor.reload();
  }

  private change(): Promise<void> {
    return new Promise((resolve) => {
      this.whenKept = resolve;
    });
  }

  private count(): void {
    const now = this.supervisor.names.length;
    if (now < this.kept) {
      this.last = this.concluded ?? 'well';
      this.concluded = undefined;
    }
    this.kept = now;
    this.whenKept();
  }

  /** The failure of one of a project's daemons, where the others came up. */
  private async bringUp(): Promise<Error | undefined> {
    const { project, names } = this.record;
    if (project !== null) return this.bringUpProject(await projectOf(project));
    for (const name of names) await this.takeOver(name);
    return undefined;
  }

  /** Whoever started it: from now on it is ours. */
  private async takeOver(name: string): Promise<void> {
    const ref = { name };
    const { signal } = this.ending;
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const { state } = await look(this.machine, ref);
      const verb = state === 'running' ? this.supervisor.restart : this.supervisor.start;
      if ((await verb.call(this.supervisor, { ref, signal })).outcome !== 'already-running') return;
    }
    throw new DaemonError('already-running', `${name} is started by others, again and again`, { name });
  }

  private async bringUpProject(project: Project): Promise<Error | undefined> {
    const daemons = new KeptProjectDaemons(this.machine, healthProbe(this.machine), {
      start: (request) => this.supervisor.start(request),
      restart: (request) => this.supervisor.restart(request),
    });
    const steps = await Promise.all(
      project.daemons.map(async (daemon) => {
        const isRunning = (await daemons.look(daemon.name)).state === 'running';
        if (isRunning && !isOf(project, await daemons.remembered(daemon.name))) throw ofAnother(daemon.name, project);
        return { daemon, action: isRunning ? 'replace' : 'start', why: 'its service keeps it' } as const;
      }),
    );
    const results = await bringUp(project, steps, { daemons, clock: this.machine.clock, signal: this.ending.signal });
    const failed = results.find((result) => result.kind === 'failed');
    return failed?.kind === 'failed' ? (failed.error as Error) : undefined;
  }

  private report(failure: Error | undefined): void {
    const { pid } = this.machine.inspector.vantage() as { pid: number };
    const at = this.machine.clock.wallTime();
    try {
      if (failure === undefined) this.files.writeReport(this.record.id, { outcome: 'ready', pid, at });
      else this.files.writeReport(this.record.id, { outcome: 'failed', pid, at, error: factsOf(failure) });
    } catch (error) {
      // A disk that is full must not keep a daemon from running.
      this.events.say((error as Error).message);
    }
  }
}

/** At once, but only where it is needed: its parsers would stay in memory for as long as the service does. */
function projectOf(file: string): Promise<Project> {
  return import('../../adapters/project/read-project.js').then(({ readProject }) => readProject({ file }));
}

function factsOf(failure: Error) {
  return isDaemonError(failure)
    ? { code: failure.code, message: failure.message, facts: failure.facts }
    : { code: 'autostart-failed', message: failure.message, facts: {} };
}

function ofAnother(name: string, { file }: Project): DaemonError {
  return new DaemonError('other-project', `${name} runs, and ${file} did not start it`, {
    name,
    file,
    allowed: `daemonry stop ${name} first`,
  });
}

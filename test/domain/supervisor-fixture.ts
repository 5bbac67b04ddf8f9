import { onTestFinished } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { SimulatedWorldOptions } from '../../src/adapters/simulated/simulated-world.js';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';
import type { SupervisingMachine } from '../../src/domain/ports.js';
import type { RunRecord } from '../../src/domain/run-record.js';
import type { StartResult } from '../../src/domain/start-daemon.js';
import { Supervisor } from '../../src/domain/supervisor.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

/** Delays that a test need not wait for long. */
export const quickly = { restart: 'always', restartDelayMs: 20, restartMaxDelayMs: 20, stableMs: 1_000 } as const;

/** A machine under judgement, with supervisors on it. */
export class SupervisorFixture extends DaemonFixture {
  readonly said: string[] = [];
  private count = 0;

  constructor(options: Partial<SimulatedWorldOptions> = {}) {
    super(options);
    this.world.schedule.isPatient = true;
    onTestFinished(() => this.world.schedule.end());
  }

  supervisor(actor: SimulatedActor = this.world.actor(), machine: SupervisingMachine = actor.machine): Supervised {
    const { pid, startToken } = actor.identity;
    const self = { pid, startToken, instanceId: `supervisor-${++this.count}` };
    const say = (name: string, what: string) => void this.said.push(`${name} ${what}`);
    return { actor, supervisor: new Supervisor(machine, self, { say, kept: () => {} }) };
  }

  startBy({ actor, supervisor }: Supervised, command: readonly string[] = ['sleep'], over: Partial<DaemonSpec> = {}): Promise<StartResult> {
    return this.attempt(() => supervisor.start({ ref: web, spec: specOf(command, { ...quickly, ...over }) }), actor);
  }

  takeOverBy({ actor, supervisor }: Supervised): Promise<void> {
    return this.attempt(() => supervisor.takeOver(), actor);
  }

  get runs(): readonly RunRecord[] {
    return this.folder.runs;
  }

  /** Until another instance is ready. */
  async untilReplaced(instanceId: string): Promise<void> {
    await this.until(() => this.descriptor?.instanceId !== instanceId && this.descriptor?.phase === 'ready');
  }

  /** The leader dies of a signal. */
  kill(): void {
    this.world.kernel.exit(this.leader, { exitCode: null, signal: 'SIGKILL' });
  }
}

export interface Supervised {
  readonly actor: SimulatedActor;
  readonly supervisor: Supervisor;
}

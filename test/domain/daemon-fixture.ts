import { expect } from 'vitest';
import { type Program, RunningProgram } from '../../src/adapters/simulated/program.js';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { DaemonFolder } from '../../src/adapters/simulated/simulated-disk.js';
import type { SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import { type Fault, SimulatedWorld, type SimulatedWorldOptions } from '../../src/adapters/simulated/simulated-world.js';
import { type DaemonSpec, specDefaults } from '../../src/domain/daemon-spec.js';
import type { Descriptor } from '../../src/domain/descriptor.js';
import type { DaemonRef, Machine } from '../../src/domain/ports.js';
import { type StartRequest, type StartResult, startDaemon } from '../../src/domain/start-daemon.js';
import { type StopRequest, type StopResult, stopDaemon } from '../../src/domain/stop-daemon.js';
import { judge } from '../simulation/invariants.js';

export const web: DaemonRef = { name: 'web' };

/** Times that pass quickly in a simulation, which pays for every poll. */
export function specOf(command: readonly string[], over: Partial<DaemonSpec> = {}): DaemonSpec {
  return { ...specDefaults, command, cwd: '/', readyTimeoutMs: 300, graceMs: 200, ...over };
}

/** A machine under judgement, with one program on it. */
export class DaemonFixture {
  readonly world: SimulatedWorld;
  readonly actor: SimulatedActor;

  constructor(options: Partial<SimulatedWorldOptions> = {}) {
    this.world = new SimulatedWorld({ seed: 1, ...options });
    judge(this.world);
    this.actor = this.world.actor();
  }

  get machine(): Machine {
    return this.actor.machine;
  }

  get folder(): DaemonFolder {
    const folder = this.world.disk.find(web);
    if (!folder) throw new Error('nothing is kept of it');
    return folder;
  }

  get descriptor(): Descriptor | undefined {
    const record = this.world.disk.find(web)?.record;
    return record?.kind === 'present' ? record.descriptor : undefined;
  }

  /** Changes what the record says, as another version or another machine would have written it. */
  rewrite(over: Partial<Descriptor>): void {
    this.world.disk.store(this.folder, { kind: 'present', descriptor: { ...(this.descriptor as Descriptor), ...over } });
  }

  /** Every living process of the daemon, whatever its environment says. */
  get living(): readonly SimulatedProcess[] {
    const all = [...this.world.kernel.root.processes.values()];
    return all.filter((process) => process.isAlive && process.origin?.descriptor === this.world.disk.locate(web).descriptor);
  }

  get leader(): SimulatedProcess {
    const leader = this.living.find((process) => process.isLeader);
    if (!leader) throw new Error('it does not run');
    return leader;
  }

  define(name: string, program: (self: RunningProgram, args: readonly string[]) => void): void {
    this.world.programs.set(name, program);
  }

  start(command: readonly string[] = ['sleep'], over: Partial<DaemonSpec> = {}, request: Partial<StartRequest> = {}): Promise<StartResult> {
    return this.attempt(() => startDaemon(this.machine, { ref: web, spec: specOf(command, over), ...request }));
  }

  stop(request: Partial<StopRequest> = {}): Promise<StopResult> {
    return this.attempt(() => stopDaemon(this.machine, { ref: web, ...request }));
  }

  /** Work of the first actor; fails where the world does. */
  async attempt<T>(work: () => Promise<T>, actor = this.actor): Promise<T> {
    const attempt = await actor.attempt(work);
    if (attempt.kind === 'threw') throw attempt.error;
    if (attempt.kind === 'crashed') throw new Error(`${actor.name} crashed`);
    return attempt.value;
  }

  /** A call of a new actor's goes wrong. */
  faultyActor(fault: (call: string, number: number) => Fault | undefined): SimulatedActor {
    const faulty = this.world.actor();
    this.world.faults = ({ actor, call, number }) => (actor === faulty ? fault(call, number) : undefined);
    return faulty;
  }

  /** Kills a process behind everybody's back, and lets it be reaped. */
  async lose(process: SimulatedProcess): Promise<void> {
    this.world.kernel.exit(process, { exitCode: null, signal: 'SIGKILL' });
    await this.until(() => process.life === 'reaped');
  }

  /** Until something is so, in the world's own time. */
  async until(condition: () => boolean): Promise<void> {
    for (let round = 0; !condition(); round++) {
      if (round > 1_000) throw new Error('waited in vain');
      await this.world.pass(2);
    }
  }

  /** Until the daemon is recorded, and not yet ready. */
  async untilStarting(): Promise<void> {
    await this.until(() => this.descriptor?.phase === 'starting' && this.leader.life === 'running' && this.folder.spec !== undefined);
  }

  /** Lets strangers come until one has this pid. The world must give out again what was freed last. */
  async occupy(pid: number, program?: Program): Promise<SimulatedProcess> {
    for (let round = 0; round < 20; round++) {
      await this.world.pass(200);
      const stranger = this.world.spawnStranger();
      if (stranger.pid !== pid) continue;
      program?.(new RunningProgram(this.world, stranger), []);
      return stranger;
    }
    throw new Error(`pid ${pid} is never used again`);
  }

  /** What an actor calls while it does its work. */
  async callsOf(work: () => Promise<unknown>): Promise<readonly string[]> {
    const calls: string[] = [];
    this.world.onCall = ({ call }) => calls.push(call);
    try {
      await work();
    } finally {
      this.world.onCall = undefined;
    }
    return calls;
  }

  expectNothingLeft(): void {
    expect(this.living.map((process) => process.pid)).toEqual([]);
    expect(this.world.disk.locate(web).record).toEqual({ kind: 'absent' });
  }
}

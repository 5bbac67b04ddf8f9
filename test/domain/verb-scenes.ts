import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';
import { ensureDaemon } from '../../src/domain/ensure-daemon.js';
import { restartDaemon } from '../../src/domain/restart-daemon.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { web } from './daemon-fixture.js';

/** The machine is judged after every step, so each of these also says: no daemon without a descriptor, never two of them. */
export interface Scene {
  readonly title: string;
  readonly gated: boolean;
  readonly command: readonly string[];
  readonly over?: Partial<DaemonSpec>;
  /** Whether the daemon runs when the verb begins. */
  readonly isRunning: boolean;
  readonly verb: (actor: SimulatedActor, spec: DaemonSpec) => Promise<unknown>;
}

const start = ({ machine }: SimulatedActor, spec: DaemonSpec) => startDaemon(machine, { ref: web, spec });
const stop = ({ machine }: SimulatedActor) => stopDaemon(machine, { ref: web });
const restart = ({ machine }: SimulatedActor) => restartDaemon(machine, { ref: web });
const replace = ({ machine }: SimulatedActor, spec: DaemonSpec) => ensureDaemon(machine, { ref: web, spec: { ...spec, version: '2.0.0' } });

const quick = { command: ['sleep'] };
const slow = { command: ['notify', '30'], over: { ready: { kind: 'notify' } } as const };
const family = { command: ['fork', 'own-session', 'SIGTERM'] };
const speaking = { command: ['serve'], over: { ready: { kind: 'socket' } } as const };

export const scenes: readonly Scene[] = [true, false].flatMap((gated) => [
  { title: 'start', gated, ...quick, isRunning: false, verb: start },
  { title: 'start of a family', gated, ...family, isRunning: false, verb: start },
  { title: 'start of a slow one', gated, ...slow, isRunning: false, verb: start },
  { title: 'stop', gated, ...quick, isRunning: true, verb: stop },
  { title: 'stop of a family that ignores SIGTERM', gated, ...family, isRunning: true, verb: stop },
  { title: 'stop of one that is asked', gated, ...speaking, isRunning: true, verb: stop },
  { title: 'restart', gated, ...family, isRunning: true, verb: restart },
  { title: 'replacement by a newer version', gated, ...quick, over: { version: '1.0.0' }, isRunning: true, verb: replace },
]);

/** Says where in a sweep something went wrong. */
export async function nameIt(where: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

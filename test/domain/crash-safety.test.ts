import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';
import { ensureDaemon } from '../../src/domain/ensure-daemon.js';
import { look } from '../../src/domain/look.js';
import { restartDaemon } from '../../src/domain/restart-daemon.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

/** The machine is judged after every step, so each of these also says: no daemon without a descriptor, never two of them. */
interface Scene {
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

const scenes: readonly Scene[] = [true, false].flatMap((gated) => [
  { title: 'start', gated, ...quick, isRunning: false, verb: start },
  { title: 'start of a slow one', gated, ...slow, isRunning: false, verb: start },
  { title: 'stop', gated, ...quick, isRunning: true, verb: stop },
  { title: 'stop of a family that ignores SIGTERM', gated, ...family, isRunning: true, verb: stop },
  { title: 'stop of one that is asked', gated, ...speaking, isRunning: true, verb: stop },
  { title: 'restart', gated, ...family, isRunning: true, verb: restart },
  { title: 'replacement by a newer version', gated, ...quick, over: { version: '1.0.0' }, isRunning: true, verb: replace },
]);

describe.each(scenes)('crash: $title (gated: $gated)', (scene) => {
  test('at every call, before or after it: a later start reaches a daemon that stays', async () => {
    await atEveryCall(scene, async (fixture, actor) => {
      const spec = specOf(scene.command, scene.over);
      const result = await fixture.attempt(() => startDaemon(actor.machine, { ref: web, spec }), actor);
      await fixture.world.pass(3_000);
      expect(await look(actor.machine, web)).toMatchObject({
        state: 'running',
        phase: 'ready',
        descriptor: { instanceId: result.descriptor.instanceId },
      });
      expect(fixture.leader.life).toBe('running');
      await fixture.attempt(() => stopDaemon(actor.machine, { ref: web }), actor);
      fixture.expectNothingLeft();
    });
  });

  test('at every call, before or after it: a later stop leaves nothing', async () => {
    await atEveryCall(scene, async (fixture, actor) => {
      await fixture.attempt(() => stopDaemon(actor.machine, { ref: web }), actor);
      // A gate whose starter has crashed before it was recorded is no daemon, and takes a moment to see it.
      await fixture.world.pass(10);
      fixture.expectNothingLeft();
    });
  });
});

/** Crashes at the first call, then at the second, and so on until the verb gets through; each in several schedules. */
async function atEveryCall(scene: Scene, then: (fixture: DaemonFixture, actor: SimulatedActor) => Promise<void>): Promise<void> {
  for (const when of ['before', 'after'] as const) {
    for (const seed of [1, 2, 3]) {
      for (let crashAt = 1; ; crashAt++) {
        const fixture = new DaemonFixture({ seed, gated: scene.gated });
        const spec = specOf(scene.command, scene.over);
        if (scene.isRunning) await fixture.attempt(() => startDaemon(fixture.machine, { ref: web, spec }));
        const actor = fixture.faultyActor((_, number) => (number === crashAt ? { when, what: 'crash' } : undefined));
        const attempt = await actor.attempt(() => scene.verb(actor, spec));
        fixture.world.faults = undefined;
        await nameIt(`${when} call ${crashAt}, seed ${seed}`, () => then(fixture, fixture.world.actor()));
        if (attempt.kind !== 'crashed') break;
        expect(crashAt).toBeLessThan(1_000);
      }
    }
  }
}

async function nameIt(where: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`after a crash ${where}: ${(error as Error).message}`, { cause: error });
  }
}

import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import { look } from '../../src/domain/look.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';
import { nameIt, type Scene, scenes } from './verb-scenes.js';

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
        await nameIt(`after a crash ${when} call ${crashAt}, seed ${seed}`, () => then(fixture, fixture.world.actor()));
        if (attempt.kind !== 'crashed') break;
        expect(crashAt).toBeLessThan(1_000);
      }
    }
  }
}

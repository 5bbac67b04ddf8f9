import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import { isDaemonError } from '../../src/domain/daemon-error.js';
import { look } from '../../src/domain/look.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { failureOf, failuresOf } from '../simulation/failures.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';
import { nameIt, type Scene, scenes } from './verb-scenes.js';

/** How long the failure lasts: for one call, or until somebody has mended the machine. */
const kinds = ['once', 'for good'] as const;

describe.each(scenes)('failure: $title (gated: $gated)', (scene) => {
  test.each(kinds)('of any one call, %s: it is named, and a later stop and start work', async (kind) => {
    await atEveryCall(scene, kind, async (fixture, { machine }) => {
      await fixture.attempt(() => stopDaemon(machine, { ref: web }), fixture.world.actor());
      await fixture.world.pass(10);
      fixture.expectNothingLeft();
      const after = fixture.world.actor();
      await fixture.attempt(() => startDaemon(after.machine, { ref: web, spec: specOf(['sleep']) }), after);
      expect(await look(after.machine, web)).toMatchObject({ state: 'running', phase: 'ready' });
    });
  });
});

/** Fails the first call that can fail, then the second, and so on until the verb gets through (as SQLite's tests do). */
async function atEveryCall(
  scene: Scene,
  kind: (typeof kinds)[number],
  then: (fixture: DaemonFixture, actor: SimulatedActor) => Promise<void>,
): Promise<void> {
  for (let failAt = 1; ; failAt++) {
    const fixture = new DaemonFixture({ gated: scene.gated });
    const spec = specOf(scene.command, scene.over);
    if (scene.isRunning) await fixture.attempt(() => startDaemon(fixture.machine, { ref: web, spec }));
    let able = 0;
    let failed = '';
    const actor = fixture.faultyActor((call) => {
      const errnos = failuresOf[call as keyof typeof failuresOf] as readonly string[] | undefined;
      if (!errnos || (++able !== failAt && (kind === 'once' || able < failAt))) return undefined;
      failed ||= call;
      return { when: 'before', what: failureOf(call, errnos[0] as string) };
    });
    const attempt = await actor.attempt(() => scene.verb(actor, spec));
    fixture.world.faults = undefined;
    const where = `${failed} fails ${kind}, as call ${failAt} of those that can`;
    await nameIt(where, async () => {
      if (attempt.kind === 'threw') {
        expect(isDaemonError(attempt.error), `threw ${attempt.error}`).toBe(true);
        // Once is no reason to leave behind what the verb has started, and says that it has not.
        if (kind === 'once' && !scene.isRunning) expect(fixture.living.filter(({ life }) => life === 'running')).toEqual([]);
      }
      // A gate that was not let go of is no daemon, and goes with its starter.
      if (!scene.gated || attempt.kind === 'threw') actor.crash();
      await fixture.world.pass(10);
      await then(fixture, fixture.world.actor());
    });
    if (failed === '') break;
    expect(failAt).toBeLessThan(1_000);
  }
}

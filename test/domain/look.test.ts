import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import { lookClosely } from '../../src/domain/look.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { waitForDaemon } from '../../src/domain/wait-for-daemon.js';
import { web } from './daemon-fixture.js';
import { SupervisorFixture } from './supervisor-fixture.js';

const seeds = Array.from({ length: 40 }, (_, seed) => seed + 1);

/** All that a reader sees, as often as it can look, until the record is gone or its stopper is. */
async function watch(fixture: SupervisorFixture, reader: SimulatedActor, isOver: () => boolean): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  await fixture.attempt(async () => {
    while (!isOver()) {
      const { state, reason } = await lookClosely(reader.machine, web);
      seen.add(`${state}, ${reason}`);
      await reader.machine.clock.sleep(1);
    }
  }, reader);
  return seen;
}

describe('whoever looks', () => {
  const commands = [['sleep'], ['linger', '30'], ['fork', 'same-group', 'SIGTERM'], ['serve', '0']];

  test('at a daemon that is being stopped sees it running, then stopped, and nothing stale', async () => {
    const seen = new Set<string>();
    for (const seed of seeds) {
      const fixture = new SupervisorFixture({ seed });
      await fixture.startBy(fixture.supervisor(), commands[seed % commands.length]);
      let isOver = false;
      const watching = watch(fixture, fixture.world.actor(), () => isOver);
      await fixture.stop();
      isOver = true;
      for (const one of await watching) seen.add(one);
    }
    expect([...seen].filter((one) => one.startsWith('stale'))).toEqual([]);
    expect([...seen]).toEqual(expect.arrayContaining(['running, alive', 'stopped, being-stopped', 'stopped, no-descriptor']));
  });

  test('at one whose policy accepts its end sees nothing stale', async () => {
    const seen = new Set<string>();
    for (const seed of seeds) {
      const fixture = new SupervisorFixture({ seed });
      await fixture.startBy(fixture.supervisor(), ['exit', '0', '300'], { restart: 'on-failure' });
      for (const one of await watch(fixture, fixture.world.actor(), () => fixture.descriptor === undefined)) seen.add(one);
    }
    expect([...seen].filter((one) => one.startsWith('stale'))).toEqual([]);
  });

  test('at one whose stopper was killed sees that it is stale', async () => {
    const fixture = new SupervisorFixture();
    await fixture.start(['sleep']);
    const stopper = fixture.faultyActor((call) => (call === 'descriptors.clear' ? { when: 'before', what: 'crash' } : undefined));
    await stopper.attempt(() => stopDaemon(stopper.machine, { ref: web }));
    expect(await fixture.attempt(() => lookClosely(fixture.machine, web))).toMatchObject({ state: 'stale' });
  });

  test('at one that waits for its restart learns whether there is anybody who restarts it', async () => {
    const fixture = new SupervisorFixture();
    const kept = fixture.supervisor();
    const delays = { restartDelayMs: 1_000, restartMaxDelayMs: 1_000 };
    const { descriptor } = await fixture.startBy(kept, ['sleep'], delays);
    fixture.kill();
    await fixture.untilReplaced(descriptor.instanceId);
    fixture.kill();
    await fixture.until(() => fixture.descriptor?.phase === 'backoff');
    const see = () => fixture.attempt(() => lookClosely(fixture.machine, web));
    expect(await see()).toMatchObject({ state: 'stopped', phase: 'backoff', reason: 'awaiting-restart' });
    fixture.world.kernel.exit(kept.actor.process, { exitCode: null, signal: 'SIGKILL' });
    expect(await see()).toMatchObject({ state: 'stopped', phase: 'backoff', reason: 'supervisor-gone' });
    const next = fixture.supervisor();
    await fixture.takeOverBy(next);
    await fixture.until(() => fixture.descriptor?.phase === 'ready');
    expect(await see()).toMatchObject({ state: 'running', phase: 'ready' });
  });

  test('for its end, for as long as a stop takes, is told when it is over', async () => {
    for (const seed of seeds) {
      const fixture = new SupervisorFixture({ seed });
      await fixture.startBy(fixture.supervisor(), ['sleep']);
      const waiter = fixture.world.actor();
      const waiting = fixture.attempt(() => waitForDaemon(waiter.machine, { ref: web, until: 'stopped' }), waiter);
      await fixture.stop();
      expect(await waiting).toMatchObject({ state: 'stopped', reason: 'no-descriptor' });
    }
  });
});

import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';
import { type EnsureResult, ensureDaemon } from '../../src/domain/ensure-daemon.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

function ensure(
  fixture: DaemonFixture,
  version: string | null,
  over: Partial<DaemonSpec> = {},
  actor?: SimulatedActor,
): Promise<EnsureResult> {
  const by = actor ?? fixture.actor;
  return fixture.attempt(() => ensureDaemon(by.machine, { ref: web, spec: specOf(['sleep'], { version, ...over }) }), by);
}

describe('ensure', () => {
  test('starts what does not run, and finds what runs', async () => {
    const fixture = new DaemonFixture();
    const first = await ensure(fixture, '1.0.0');
    expect(first.outcome).toBe('started');
    expect(await ensure(fixture, '1.0.0')).toMatchObject({ outcome: 'already-running', descriptor: first.descriptor });
  });

  test.each([
    ['1.0.0', '1.0.1', 'replaced'],
    ['1.9.0', '1.10.0', 'replaced'],
    ['2.0.0-rc.1', '2.0.0', 'replaced'],
    ['1.0.1', '1.0.0', 'already-running'],
    ['2.0.0', '2.0.0-rc.1', 'already-running'],
    ['1.0.0', null, 'already-running'],
    [null, '1.0.0', 'already-running'],
    ['one', 'two', 'already-running'],
  ])('running %s, wanted %s: %s', async (running, wanted, outcome) => {
    const fixture = new DaemonFixture();
    const first = await ensure(fixture, running);
    const second = await ensure(fixture, wanted);
    expect(second.outcome).toBe(outcome);
    expect(second.descriptor.version).toBe(outcome === 'replaced' ? wanted : running);
    expect(second.descriptor.instanceId === first.descriptor.instanceId).toBe(outcome !== 'replaced');
    expect(fixture.living).toHaveLength(1);
  });

  test('a newer version that cannot start does not end the older one', async () => {
    const fixture = new DaemonFixture();
    const first = await ensure(fixture, '1.0.0');
    await expect(ensure(fixture, '2.0.0', { command: ['absent'] })).rejects.toMatchObject({ code: 'command-not-found' });
    expect(fixture.descriptor).toEqual(first.descriptor);
    expect(fixture.living).toHaveLength(1);
  });

  test('callers of two versions, many at a time, settle on the newer one, which is started once', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const fixture = new DaemonFixture({ seed });
      const callers = Array.from({ length: 12 }, (_, index) => ({
        version: index % 2 === 0 ? '1.0.0' : '2.0.0',
        actor: fixture.world.actor(),
      }));
      const results = await Promise.all(callers.map(({ version, actor }) => ensure(fixture, version, {}, actor)));
      expect(fixture.descriptor?.version).toBe('2.0.0');
      expect(fixture.living).toHaveLength(1);
      const launched = results.filter(({ outcome }) => outcome !== 'already-running').map(({ descriptor }) => descriptor.version);
      expect(launched.filter((version) => version === '2.0.0')).toHaveLength(1);
      expect(launched.length).toBeLessThanOrEqual(2);
      for (const [index, { descriptor }] of results.entries()) {
        if (callers[index]?.version === '2.0.0') expect(descriptor.version).toBe('2.0.0');
      }
    }
  });
});

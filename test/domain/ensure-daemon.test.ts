import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';
import { type EnsureResult, ensureDaemon } from '../../src/domain/ensure-daemon.js';
import type { OnMismatch } from '../../src/domain/mismatch.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

function ensure(
  fixture: DaemonFixture,
  version: string | null,
  over: Partial<DaemonSpec> = {},
  { actor = fixture.actor, onMismatch }: { actor?: SimulatedActor; onMismatch?: OnMismatch } = {},
): Promise<EnsureResult> {
  return fixture.attempt(() => ensureDaemon(actor.machine, { ref: web, spec: specOf(['sleep'], { version, ...over }), onMismatch }), actor);
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

  test('what is defined otherwise in the same version is replaced, and what was replaced does not come back by itself', async () => {
    const fixture = new DaemonFixture();
    const first = await ensure(fixture, '1.0.0', { fingerprint: 'a' });
    expect(await ensure(fixture, '1.0.0', { fingerprint: 'a' })).toMatchObject({ outcome: 'already-running' });
    const second = await ensure(fixture, '1.0.0', { fingerprint: 'b' });
    expect(second).toMatchObject({ outcome: 'replaced', descriptor: { fingerprint: 'b', supersedes: ['a'] } });
    for (const fingerprint of ['a', 'b', 'a']) {
      expect(await ensure(fixture, '1.0.0', { fingerprint })).toMatchObject({ outcome: 'already-running', descriptor: second.descriptor });
    }
    const third = await ensure(fixture, '1.0.0', { fingerprint: 'c' });
    expect(third).toMatchObject({ outcome: 'replaced', descriptor: { fingerprint: 'c', supersedes: ['b', 'a'] } });
    expect(third.descriptor.instanceId).not.toBe(first.descriptor.instanceId);
    expect(fixture.living).toHaveLength(1);
    // A stop ends the story, for whoever goes back to the definition that was before.
    await fixture.stop();
    expect(await ensure(fixture, '1.0.0', { fingerprint: 'a' })).toMatchObject({ outcome: 'started' });
  });

  test('a daemon without a fingerprint is the same as any of its version', async () => {
    const fixture = new DaemonFixture();
    await ensure(fixture, '1.0.0');
    expect(await ensure(fixture, '1.0.0', { fingerprint: 'a' })).toMatchObject({ outcome: 'already-running' });
    expect(await ensure(fixture, '1.1.0', { fingerprint: 'a' })).toMatchObject({ outcome: 'replaced' });
    expect(await ensure(fixture, '1.1.0')).toMatchObject({ outcome: 'already-running' });
  });

  const wishes: readonly (readonly [OnMismatch, string, string])[] = [
    ['replace', '2.0.0', 'replaced'],
    ['replace', '0.1.0', 'replaced'],
    ['replace', 'nightly', 'replaced'],
    ['replace-if-newer', '2.0.0', 'replaced'],
    ['replace-if-newer', '0.1.0', 'already-running'],
    ['replace-if-newer-and-idle', '2.0.0', 'replaced'],
    ['replace-if-newer-and-idle', '0.1.0', 'already-running'],
    ['use', '2.0.0', 'already-running'],
    ['fail', '2.0.0', 'version-mismatch'],
    ['fail', '0.1.0', 'version-mismatch'],
    ['fail', '1.0.0', 'already-running'],
  ];
  test.each(wishes)('%s, of 1.0.0 by %s: %s', async (onMismatch, version, outcome) => {
    const fixture = new DaemonFixture();
    await ensure(fixture, '1.0.0');
    const second = ensure(fixture, version, {}, { onMismatch });
    if (outcome === 'version-mismatch')
      await expect(second).rejects.toMatchObject({ code: outcome, facts: { version: '1.0.0', wanted: version } });
    else expect(await second).toMatchObject({ outcome });
    expect(fixture.living).toHaveLength(1);
  });

  test.each([
    ['says that it is idle', true, { isBusy: false }],
    ['listens to nobody', true, undefined],
    ['says that it is busy', false, { isBusy: true }],
    ['does not answer in time', false, { answersAfterMs: 600_000 }],
  ] as const)('replace-if-newer-and-idle: one that %s is replaced: %s', async (_, isReplaced, control) => {
    const fixture = new DaemonFixture();
    fixture.define('occupied', (self) => control && self.listen(control));
    await ensure(fixture, '1.0.0', { command: ['occupied'] });
    const second = await ensure(fixture, '1.1.0', { command: ['occupied'] }, { onMismatch: 'replace-if-newer-and-idle' });
    expect(second.outcome).toBe(isReplaced ? 'replaced' : 'already-running');
  });

  test('replace: two definitions replace each other at every turn, as they both wish', async () => {
    const fixture = new DaemonFixture();
    const outcomes: string[] = [];
    for (const fingerprint of ['a', 'b', 'a']) {
      outcomes.push((await ensure(fixture, '1.0.0', { fingerprint }, { onMismatch: 'replace' })).outcome);
    }
    expect(outcomes).toEqual(['started', 'replaced', 'replaced']);
  });

  test('callers of two definitions of one version, many at a time and again, end after one replacement', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fixture = new DaemonFixture({ seed });
      const callers = Array.from({ length: 10 }, (_, index) => ({
        fingerprint: index % 2 === 0 ? 'a' : 'b',
        actor: fixture.world.actor(),
      }));
      const round = () => Promise.all(callers.map(({ fingerprint, actor }) => ensure(fixture, '1.0.0', { fingerprint }, { actor })));
      const launched = (await round()).filter(({ outcome }) => outcome !== 'already-running');
      expect(launched.map(({ outcome }) => outcome).sort()).toEqual(['replaced', 'started']);
      expect((await round()).every(({ outcome }) => outcome === 'already-running')).toBe(true);
      expect(fixture.living).toHaveLength(1);
    }
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
      const results = await Promise.all(callers.map(({ version, actor }) => ensure(fixture, version, {}, { actor })));
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

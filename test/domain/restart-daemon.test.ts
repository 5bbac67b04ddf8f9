import { describe, expect, test } from 'vitest';
import { DaemonError } from '../../src/domain/daemon-error.js';
import { type RestartRequest, restartDaemon } from '../../src/domain/restart-daemon.js';
import type { StartResult } from '../../src/domain/start-daemon.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

function restart(fixture: DaemonFixture, request: Partial<RestartRequest> = {}): Promise<StartResult> {
  return fixture.attempt(() => restartDaemon(fixture.machine, { ref: web, ...request }));
}

describe('restart', () => {
  test('ends the instance, then starts another with the remembered spec', async () => {
    const fixture = new DaemonFixture();
    const first = await fixture.start(['linger', '50'], { version: '1.0.0' });
    const second = await restart(fixture);
    expect(second).toMatchObject({ outcome: 'started', descriptor: { command: ['linger', '50'], version: '1.0.0', phase: 'ready' } });
    expect(second.descriptor.instanceId).not.toBe(first.descriptor.instanceId);
    expect(second.descriptor.socket).not.toBe(first.descriptor.socket);
    expect(fixture.living).toHaveLength(1);
  });

  test('keeps a pinned socket', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['serve'], { socket: '/pinned.sock', ready: { kind: 'socket' } });
    expect((await restart(fixture)).descriptor.socket).toBe('/pinned.sock');
  });

  test('starts what does not run, be it stopped or dead', async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    await fixture.stop();
    expect((await restart(fixture)).outcome).toBe('started');
    await fixture.lose(fixture.leader);
    expect((await restart(fixture)).outcome).toBe('started');
    expect(fixture.living).toHaveLength(1);
  });

  test('what was never known is not found, and leaves nothing behind', async () => {
    const fixture = new DaemonFixture();
    await expect(restart(fixture)).rejects.toMatchObject({ code: 'not-found', facts: { name: 'web' } });
    expect(fixture.world.disk.find(web)).toBeUndefined();
  });

  test("an embedding program's own spec goes over the remembered one", async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['sleep']);
    expect((await restart(fixture, { spec: specOf(['print', 'x']) })).descriptor.command).toEqual(['print', 'x']);
    expect(fixture.folder.spec?.command).toEqual(['print', 'x']);
  });

  test('a spec that cannot start any more is found out before anything is stopped', async () => {
    const fixture = new DaemonFixture();
    fixture.define('soon-removed', () => {});
    const first = await fixture.start(['soon-removed']);
    fixture.world.programs.delete('soon-removed');
    await expect(restart(fixture)).rejects.toMatchObject({ code: 'command-not-found' });
    expect(fixture.descriptor).toEqual(first.descriptor);
    expect(fixture.living).toHaveLength(1);
  });

  test('a place where no record can be written is found out before anything is stopped', async () => {
    const fixture = new DaemonFixture();
    const { descriptor } = await fixture.start();
    const full = new DaemonError('unwritable', "can't write: ENOSPC", { errno: 'ENOSPC' });
    const actor = fixture.faultyActor((call) => (call === 'descriptors.write' ? { when: 'before', what: full } : undefined));
    await expect(fixture.attempt(() => restartDaemon(actor.machine, { ref: web }), actor)).rejects.toBe(full);
    expect(fixture.descriptor).toEqual(descriptor);
    expect(fixture.living).toHaveLength(1);
  });

  test('what fails after the stop says that it was stopped, and what did not run was not', async () => {
    const fixture = new DaemonFixture();
    const { descriptor } = await fixture.start();
    const spec = specOf(['exit', '3'], { ready: { kind: 'socket' } });
    const { name, pid } = descriptor;
    await expect(restart(fixture, { spec })).rejects.toMatchObject({
      code: 'ended-before-ready',
      message: `${name} ended before it was ready (exit code 3); ${name} (pid ${pid}) was stopped for this, and was not started again`,
      facts: { exitCode: 3, stopped: pid },
    });
    fixture.expectNothingLeft();
    await expect(restart(fixture, { spec })).rejects.toMatchObject({ message: `${name} ended before it was ready (exit code 3)` });
  });

  test('one that cannot be judged is refused, with no signal and no write', async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    fixture.world.schedule.onStep = undefined;
    fixture.rewrite({ host: 'host-2' });
    const calls = await fixture.callsOf(() => expect(restart(fixture)).rejects.toMatchObject({ code: 'unknown-daemon' }));
    expect(calls).not.toContain('lock.acquire');
    expect(fixture.living).toHaveLength(1);
  });

  test('a leader that ignores SIGTERM is killed after the grace of the request, then started anew', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['ignore', 'SIGTERM'], { graceMs: 60_000 });
    const before = fixture.machine.clock.monotonicMs();
    expect((await restart(fixture, { graceMs: 100 })).outcome).toBe('started');
    expect(fixture.machine.clock.monotonicMs() - before).toBeLessThan(500);
    expect(fixture.living).toHaveLength(1);
  });

  test('eight at once leave one instance, and each answers with one that it has started', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fixture = new DaemonFixture({ seed });
      await fixture.start();
      const actors = Array.from({ length: 8 }, () => fixture.world.actor());
      const results = await Promise.all(actors.map((actor) => fixture.attempt(() => restartDaemon(actor.machine, { ref: web }), actor)));
      expect(new Set(results.map(({ descriptor }) => descriptor.instanceId)).size).toBe(8);
      expect(results.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 8 }, () => 'started'));
      expect(fixture.living).toHaveLength(1);
    }
  });
});

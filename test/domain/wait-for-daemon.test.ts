import { describe, expect, test } from 'vitest';
import { listDaemons } from '../../src/domain/list-daemons.js';
import type { DaemonView } from '../../src/domain/look.js';
import { lookClosely } from '../../src/domain/look.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { type WaitRequest, waitForDaemon } from '../../src/domain/wait-for-daemon.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

const notify = { ready: { kind: 'notify' } } as const;

/** Waits as a program of its own. */
function wait(fixture: DaemonFixture, request: Partial<WaitRequest> = {}): Promise<DaemonView> {
  const waiter = fixture.world.actor();
  return fixture.attempt(() => waitForDaemon(waiter.machine, { ref: web, until: 'ready', timeoutMs: 1_000, ...request }), waiter);
}

describe('wait', () => {
  test('for ready: returns when the daemon is ready, not before', async () => {
    const fixture = new DaemonFixture();
    const starting = fixture.start(['notify', '150'], notify);
    const view = await wait(fixture);
    expect(view).toMatchObject({ state: 'running', phase: 'ready' });
    expect(fixture.machine.clock.monotonicMs()).toBeGreaterThanOrEqual(150);
    await starting;
  });

  test('for ready: also where the starter has died meanwhile', async () => {
    const fixture = new DaemonFixture();
    const starter = fixture.world.actor();
    void starter.attempt(() => startDaemon(starter.machine, { ref: web, spec: specOf(['notify', '150'], notify) }));
    await fixture.untilStarting();
    starter.crash();
    expect(await wait(fixture)).toMatchObject({ state: 'running', phase: 'ready' });
    expect(fixture.machine.clock.monotonicMs()).toBeGreaterThanOrEqual(150);
    expect(fixture.descriptor?.phase).toBe('starting');
  });

  test('for stopped: returns when it has ended, however it did', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['exit', '1', '200']);
    expect(await wait(fixture, { until: 'stopped' })).toMatchObject({ state: 'stale', reason: 'process-gone' });
    expect(fixture.machine.clock.monotonicMs()).toBeGreaterThanOrEqual(200);
  });

  test('for stopped: one that was never known is', async () => {
    expect(await wait(new DaemonFixture(), { until: 'stopped' })).toMatchObject({ state: 'stopped', reason: 'no-descriptor' });
  });

  test('gives up in time, and says what it is instead', async () => {
    const fixture = new DaemonFixture();
    const { pid } = (await fixture.start()).descriptor;
    const before = fixture.machine.clock.monotonicMs();
    await expect(wait(fixture, { until: 'stopped', timeoutMs: 120 })).rejects.toMatchObject({
      code: 'wait-timeout',
      facts: { name: 'web', status: 'running', phase: 'ready', pid },
    });
    expect(fixture.machine.clock.monotonicMs() - before).toBeGreaterThanOrEqual(120);
    expect(fixture.machine.clock.monotonicMs() - before).toBeLessThan(200);
  });

  test('may be cancelled', async () => {
    const fixture = new DaemonFixture();
    const controller = new AbortController();
    fixture.world.schedule.after(50, () => controller.abort());
    await expect(wait(fixture, { timeoutMs: undefined, signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });

  test('writes, locks and signals nothing', async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    const calls = await fixture.callsOf(() => wait(fixture));
    for (const call of calls)
      expect(call).toMatch(/^(descriptors\.(place|read)|inspector\..*|lock\.holder|readiness\.check|clock\.sleep)$/);
  });
});

describe('lookClosely', () => {
  test('`starting` is left to its starter while he lives, and derived from the evidence when he is gone', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['notify'], notify);
    fixture.rewrite({ phase: 'starting' });
    const starter = fixture.world.actor();
    await fixture.attempt(() => starter.machine.lock.acquire(web, { timeoutMs: 100 }), starter);
    expect(await fixture.attempt(() => lookClosely(fixture.machine, web))).toMatchObject({ state: 'running', phase: 'starting' });
    starter.crash();
    expect(await fixture.attempt(() => lookClosely(fixture.machine, web))).toMatchObject({ state: 'running', phase: 'ready' });
  });

  test('`starting` without evidence stays what it is', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['sleep'], { ...notify, onTimeout: 'keep' });
    expect(await fixture.attempt(() => lookClosely(fixture.machine, web))).toMatchObject({ state: 'running', phase: 'starting' });
  });
});

describe('list', () => {
  test('every daemon by name, each as it is', async () => {
    const fixture = new DaemonFixture();
    for (const name of ['b', 'a', 'c'])
      await fixture.attempt(() => startDaemon(fixture.machine, { ref: { name }, spec: specOf(['sleep']) }));
    const leader = [...fixture.world.kernel.root.processes.values()].find((process) => process.marks?.name === 'a');
    if (leader) await fixture.lose(leader);
    const calls = await fixture.callsOf(async () => {
      const views = await fixture.attempt(() => listDaemons(fixture.machine));
      expect(views.map(({ place, state, phase }) => [place.name, state, phase])).toEqual([
        ['a', 'stale', null],
        ['b', 'running', 'ready'],
        ['c', 'running', 'ready'],
      ]);
    });
    expect(calls).not.toContain('lock.acquire');
  });

  test('an empty home has none', async () => {
    const fixture = new DaemonFixture();
    expect(await fixture.attempt(() => listDaemons(fixture.machine))).toEqual([]);
  });
});

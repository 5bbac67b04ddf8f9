import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import { DaemonError } from '../../src/domain/daemon-error.js';
import { look } from '../../src/domain/look.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { DaemonFixture, specOf, web } from './daemon-fixture.js';

describe('stop', () => {
  test('ends the daemon by its stop signal, clears its record, remembers how to start it', async () => {
    const fixture = new DaemonFixture();
    const signals: string[] = [];
    fixture.define('tells', (self) => {
      for (const signal of ['SIGTERM', 'SIGINT']) {
        self.on(signal, () => {
          signals.push(signal);
          self.after(30, () => self.exit(0));
        });
      }
    });
    const { pid } = (await fixture.start(['tells'], { stopSignal: 'SIGINT' })).descriptor;
    expect(await fixture.stop()).toEqual({ name: 'web', outcome: 'stopped', pid, escaped: [], beyondReach: [] });
    expect(signals).toEqual(['SIGINT']);
    fixture.expectNothingLeft();
    expect(fixture.folder.spec?.command).toEqual(['tells']);
  });

  test('says `stopping` while it waits', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['linger', '100']);
    const stopping = fixture.stop();
    await fixture.world.pass(50);
    expect(fixture.descriptor?.phase).toBe('stopping');
    expect((await stopping).outcome).toBe('stopped');
  });

  test('one that is stopped is stopped', async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    await fixture.stop();
    for (let times = 0; times < 3; times++) {
      expect(await fixture.stop()).toEqual({ name: 'web', outcome: 'already-stopped', pid: null, escaped: [], beyondReach: [] });
    }
  });

  test('one that was never known is stopped, and no lock is left behind', async () => {
    const fixture = new DaemonFixture();
    const calls = await fixture.callsOf(async () => expect((await fixture.stop()).outcome).toBe('already-stopped'));
    expect(calls).not.toContain('lock.acquire');
    expect(fixture.world.disk.find(web)).toBeUndefined();
  });

  test('one whose process is gone is cleaned', async () => {
    const fixture = new DaemonFixture();
    const { pid } = (await fixture.start()).descriptor;
    await fixture.lose(fixture.leader);
    expect(await fixture.stop()).toEqual({ name: 'web', outcome: 'stale-cleaned', pid, escaped: [], beyondReach: [] });
    fixture.expectNothingLeft();
  });

  test('one that ended cleanly is stopped, not stale', async () => {
    const fixture = new DaemonFixture();
    fixture.define('brief', (self) => self.after(20, () => self.endCleanly()));
    await fixture.start(['brief']);
    await fixture.world.pass(100);
    expect(await look(fixture.machine, web)).toMatchObject({ state: 'stopped', reason: 'ended-cleanly' });
    expect((await fixture.stop()).outcome).toBe('already-stopped');
    fixture.expectNothingLeft();
  });

  test('of sixteen at once one stops it, and the others find it stopped', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const fixture = new DaemonFixture({ seed });
      await fixture.start(['fork', 'own-session', 'SIGTERM']);
      const actors = Array.from({ length: 16 }, () => fixture.world.actor());
      const stop = (actor: SimulatedActor) => fixture.attempt(() => stopDaemon(actor.machine, { ref: web }), actor);
      const outcomes = (await Promise.all(actors.map(stop))).map(({ outcome }) => outcome).sort();
      expect(outcomes).toEqual([...Array.from({ length: 15 }, () => 'already-stopped'), 'killed']);
      fixture.expectNothingLeft();
    }
  });
});

describe('stop: escalation', () => {
  test('a leader that ignores SIGTERM is killed after the grace, with its children', async () => {
    const fixture = new DaemonFixture();
    fixture.define('stubborn', (self) => {
      self.ignore('SIGTERM');
      for (const placement of ['same-group', 'own-group', 'own-session'] as const) {
        self.fork({ placement, program: (child) => child.ignore('SIGTERM') });
      }
    });
    const { pid } = (await fixture.start(['stubborn'])).descriptor;
    const [, , ownGroup, ownSession] = fixture.living.map((process) => process.pid);
    const before = fixture.machine.clock.monotonicMs();
    const result = await fixture.stop();
    expect(result).toMatchObject({ outcome: 'killed', pid });
    expect([...result.escaped].sort()).toEqual([ownGroup, ownSession].sort());
    expect(fixture.machine.clock.monotonicMs() - before).toBeGreaterThanOrEqual(200);
    expect(fixture.machine.clock.monotonicMs() - before).toBeLessThan(300);
    fixture.expectNothingLeft();
  });

  test('the grace of the request goes over that of the spec', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['linger', '500']);
    const before = fixture.machine.clock.monotonicMs();
    expect((await fixture.stop({ graceMs: 1_000 })).outcome).toBe('stopped');
    expect(fixture.machine.clock.monotonicMs() - before).toBeGreaterThanOrEqual(500);
  });

  test('no grace at all kills at once', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['linger', '500']);
    const before = fixture.machine.clock.monotonicMs();
    expect((await fixture.stop({ graceMs: 0 })).outcome).toBe('killed');
    expect(fixture.machine.clock.monotonicMs() - before).toBeLessThan(100);
  });

  test('a leader that ends in time leaves the rest of the grace to its group', async () => {
    const fixture = new DaemonFixture();
    const asked: string[] = [];
    fixture.define('leaves-workers', (self) => {
      self.fork({
        program: (worker) =>
          worker.on('SIGTERM', () => {
            asked.push('worker');
            worker.after(100, () => worker.exit(0));
          }),
      });
      self.on('SIGTERM', () => self.exit(0));
    });
    await fixture.start(['leaves-workers']);
    const before = fixture.machine.clock.monotonicMs();
    expect((await fixture.stop()).outcome).toBe('stopped');
    expect(fixture.machine.clock.monotonicMs() - before).toBeGreaterThanOrEqual(100);
    expect(asked).toEqual(['worker']);
    fixture.expectNothingLeft();
  });

  test('a worker that outlives the grace makes it a kill', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['fork', 'same-group', 'SIGTERM']);
    expect(await fixture.stop()).toMatchObject({ outcome: 'killed', escaped: [], beyondReach: [] });
    fixture.expectNothingLeft();
  });

  test("a worker that became another user's is named, lives on, and does not keep the record", async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    const worker = fixture.world.kernel.fork({ parent: fixture.leader, placement: 'same-group', uid: 0 });
    expect(await fixture.stop()).toMatchObject({ outcome: 'killed', beyondReach: [worker.pid] });
    expect(worker.isAlive).toBe(true);
    expect((await fixture.stop()).outcome).toBe('already-stopped');
  });

  test('a worker that has cleared its environment is still known by its group after the grace', async () => {
    const fixture = new DaemonFixture();
    fixture.define('postgres', (self) => {
      self.fork({ keepsMarks: false, program: (worker) => worker.ignore('SIGTERM') });
    });
    await fixture.start(['postgres']);
    expect((await fixture.stop()).outcome).toBe('killed');
    fixture.expectNothingLeft();
  });

  test('what is forked while it is being stopped is ended too', async () => {
    const fixture = new DaemonFixture();
    fixture.define('hydra', (self) => {
      self.on('SIGTERM', () => {
        self.fork({ placement: 'own-session' });
        self.fork({ placement: 'same-group', program: (head) => head.on('SIGTERM', () => head.fork({ placement: 'own-group' })) });
        self.exit(0);
      });
    });
    await fixture.start(['hydra']);
    expect((await fixture.stop()).outcome).toBe('killed');
    fixture.expectNothingLeft();
  });

  test('processes that left the group are ended and named', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['fork', 'own-session']);
    const escapee = fixture.living.find((process) => !process.isLeader);
    expect(await fixture.stop()).toMatchObject({ outcome: 'stopped', escaped: [escapee?.pid] });
    fixture.expectNothingLeft();
  });

  test('a process that left the group and the marks behind is nobody that it knows', async () => {
    const fixture = new DaemonFixture();
    fixture.define('disowns', (self) => {
      self.fork({ placement: 'own-session', keepsMarks: false });
    });
    await fixture.start(['disowns']);
    const disowned = fixture.living.find((process) => !process.isLeader);
    expect(await fixture.stop()).toMatchObject({ outcome: 'stopped', escaped: [], beyondReach: [] });
    expect(disowned?.isAlive).toBe(true);
  });

  test('the group is killed, though the member that was to prove it ends at this very moment', async () => {
    const fixture = new DaemonFixture();
    fixture.define('stubborn', (self) => {
      self.ignore('SIGTERM');
      self.fork({ program: (child) => child.ignore('SIGTERM') });
    });
    await fixture.start(['stubborn']);
    const { leader } = fixture;
    const stopper = fixture.faultyActor((call) => {
      if (call === 'signals.sendToGroup') fixture.world.kernel.exit(leader, { exitCode: 0, signal: null });
      return undefined;
    });
    expect((await fixture.attempt(() => stopDaemon(stopper.machine, { ref: web }), stopper)).outcome).toBe('killed');
    fixture.expectNothingLeft();
  });

  test('what no kill ends is named, and its record stays', async () => {
    const fixture = new DaemonFixture();
    const { pid } = (await fixture.start()).descriptor;
    fixture.world.kernel.hang(fixture.leader, 6_000);
    await expect(fixture.stop()).rejects.toMatchObject({ code: 'stop-timeout', facts: { name: 'web', pids: [pid] } });
    expect(fixture.descriptor?.pid).toBe(pid);
    await fixture.until(() => fixture.living.length === 0);
    expect((await fixture.stop()).outcome).toBe('stale-cleaned');
    fixture.expectNothingLeft();
  });

  test("another user's daemon is not permitted, and its record stays as it is", async () => {
    const fixture = new DaemonFixture();
    const owner = fixture.world.actor({ uid: 2_000 });
    await fixture.attempt(() => startDaemon(owner.machine, { ref: web, spec: specOf(['sleep']) }), owner);
    const { record } = fixture.folder;
    await expect(fixture.stop()).rejects.toMatchObject({ code: 'not-permitted', facts: { name: 'web', uid: 2_000 } });
    expect(fixture.folder.record).toEqual(record);
    expect(fixture.living).toHaveLength(1);
  });

  test('a full disk keeps no daemon alive', async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    const full = new DaemonError('unwritable', "can't write: ENOSPC", { errno: 'ENOSPC' });
    const actor = fixture.faultyActor((call) => (call === 'descriptors.write' ? { when: 'before', what: full } : undefined));
    expect((await fixture.attempt(() => stopDaemon(actor.machine, { ref: web }), actor)).outcome).toBe('stopped');
    fixture.expectNothingLeft();
  });
});

describe('stop: the control protocol', () => {
  test('a daemon that speaks it is asked, and not signalled', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['serve'], { ready: { kind: 'socket' } });
    const calls = await fixture.callsOf(async () => expect((await fixture.stop()).outcome).toBe('stopped'));
    expect(calls).toContain('control.shutdown');
    expect(calls).not.toContain('signals.send');
    fixture.expectNothingLeft();
  });

  test('one that agrees and does not end is killed after the grace', async () => {
    const fixture = new DaemonFixture();
    fixture.define('promises', (self) => self.listen({ onShutdown: () => {} }));
    await fixture.start(['promises'], { ready: { kind: 'socket' } });
    expect((await fixture.stop()).outcome).toBe('killed');
    fixture.expectNothingLeft();
  });

  test('a daemon that speaks something else there is signalled', async () => {
    const fixture = new DaemonFixture();
    await fixture.start(['listen'], { ready: { kind: 'socket' } });
    expect((await fixture.stop({ graceMs: 2_000 })).outcome).toBe('stopped');
    fixture.expectNothingLeft();
  });

  test('the time that a silent socket takes is not taken from the grace', async () => {
    const fixture = new DaemonFixture();
    fixture.define('silent', (self) => {
      self.listen();
      self.on('SIGTERM', () => self.after(100, () => self.exit(0)));
    });
    await fixture.start(['silent'], { ready: { kind: 'socket' } });
    expect((await fixture.stop()).outcome).toBe('stopped');
  });

  test('whoever else answers on its pinned socket is not asked to end', async () => {
    const fixture = new DaemonFixture();
    const api = { name: 'api' };
    const spec = specOf(['serve'], { socket: '/pinned.sock', ready: { kind: 'socket' } });
    await fixture.attempt(() => startDaemon(fixture.machine, { ref: api, spec }));
    await fixture.start(['sleep'], { socket: '/pinned.sock' });
    expect((await fixture.stop()).outcome).toBe('stopped');
    expect(await look(fixture.machine, api)).toMatchObject({ state: 'running' });
  });
});

describe('stop: during a start', () => {
  test('it waits for the start, then stops what was started', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fixture = new DaemonFixture({ seed });
      const other = fixture.world.actor();
      const starting = fixture.start(['notify', '100'], { ready: { kind: 'notify' } });
      await fixture.untilStarting();
      const stopped = await fixture.attempt(() => stopDaemon(other.machine, { ref: web }), other);
      expect((await starting).outcome).toBe('started');
      expect(stopped.outcome).toBe('stopped');
      fixture.expectNothingLeft();
    }
  });

  test('it waits as long as that start may take', async () => {
    const fixture = new DaemonFixture();
    const other = fixture.world.actor();
    const starting = fixture.start(['notify', '240000'], { ready: { kind: 'notify' }, readyTimeoutMs: 300_000 });
    await fixture.untilStarting();
    const stopped = await fixture.attempt(() => stopDaemon(other.machine, { ref: web }), other);
    expect((await starting).outcome).toBe('started');
    expect(stopped.outcome).toBe('stopped');
  });

  test('a cancelled wait stops nothing', async () => {
    const fixture = new DaemonFixture();
    const other = fixture.world.actor();
    const starting = fixture.start(['notify', '200'], { ready: { kind: 'notify' } });
    await fixture.untilStarting();
    const stop = fixture.attempt(() => stopDaemon(other.machine, { ref: web, signal: AbortSignal.abort() }), other);
    await expect(stop).rejects.toMatchObject({ code: 'cancelled' });
    expect((await starting).outcome).toBe('started');
    expect(fixture.living).toHaveLength(1);
  });
});

describe('stop: who is never signalled', () => {
  test('a stranger with the recorded pid, nor his children', async () => {
    const fixture = new DaemonFixture({ reuse: 1 });
    const { pid } = (await fixture.start()).descriptor;
    await fixture.lose(fixture.leader);
    const stranger = await fixture.occupy(pid, (self) => void self.fork());
    const [child] = stranger.children;
    expect((await fixture.stop()).outcome).toBe('stale-cleaned');
    await fixture.world.pass(500);
    expect([stranger.life, child?.life]).toEqual(['running', 'running']);
  });

  test('the children of a stranger who had the recorded pid and is a zombie by now', async () => {
    const fixture = new DaemonFixture({ reuse: 1, initReaps: 'never' });
    const { pid } = (await fixture.start()).descriptor;
    await fixture.lose(fixture.leader);
    const stranger = await fixture.occupy(pid, (self) => void self.fork());
    const [child] = stranger.children as Set<SimulatedProcess>;
    fixture.world.kernel.exit(stranger, { exitCode: 0, signal: null });
    expect([stranger.life, child?.life, child?.session]).toEqual(['zombie', 'running', pid]);
    expect((await fixture.stop()).outcome).toBe('stale-cleaned');
    await fixture.world.pass(500);
    expect(child?.life).toBe('running');
  });

  test('the children of a stranger who had the recorded pid and is gone: a daemon that forked twice', async () => {
    const fixture = new DaemonFixture({ reuse: 1 });
    const { pid } = (await fixture.start()).descriptor;
    await fixture.lose(fixture.leader);
    const stranger = await fixture.occupy(pid, (self) => void self.fork());
    const [child] = stranger.children;
    await fixture.lose(stranger);
    expect([child?.life, child?.session, child?.processGroup]).toEqual(['running', pid, pid]);
    expect((await fixture.stop()).outcome).toBe('stale-cleaned');
    await fixture.world.pass(500);
    expect(child?.life).toBe('running');
  });

  test('another daemon that was started from within this one', async () => {
    const fixture = new DaemonFixture();
    await fixture.start();
    const inside = fixture.world.actor({ parent: fixture.leader, placement: 'own-session' });
    const api = { name: 'api' };
    await fixture.attempt(() => startDaemon(inside.machine, { ref: api, spec: specOf(['sleep']) }), inside);
    expect(await fixture.stop()).toMatchObject({ outcome: 'stopped', escaped: [inside.process.pid] });
    expect(await look(fixture.machine, api)).toMatchObject({ state: 'running' });
  });

  test('the caller, whom the daemon has started, and who waits for him', async () => {
    for (const placement of ['same-group', 'own-group', 'own-session'] as const) {
      const fixture = new DaemonFixture();
      fixture.define('family', (self) => {
        self.ignore('SIGTERM');
        self.fork({ program: (child) => child.ignore('SIGTERM') });
        self.fork({ placement: 'own-session', program: (child) => child.ignore('SIGTERM') });
      });
      await fixture.start(['family']);
      const shell = fixture.world.kernel.fork({ parent: fixture.leader, placement });
      const caller = fixture.world.actor({ parent: shell, placement: 'same-group' });
      expect(caller.process.marks?.instanceId).toBe(fixture.descriptor?.instanceId);
      const result = await fixture.attempt(() => stopDaemon(caller.machine, { ref: web }), caller);
      expect(result.outcome).toBe('killed');
      expect(fixture.living).toEqual([shell, caller.process]);
    }
  });

  test.each([
    ['of another host', { host: 'host-2' }, 'other-host'],
    ['of another time namespace', { timeNamespace: 'time:[2]' }, 'other-time-namespace'],
    ['of another namespace of an earlier boot', { bootId: 'boot-0', pidNamespace: 'pid:[2]' }, 'other-boot'],
  ])('anybody, for a record %s', async (_, over, reason) => {
    const fixture = new DaemonFixture();
    await fixture.start();
    const { leader } = fixture;
    fixture.world.schedule.onStep = undefined;
    fixture.rewrite(over);
    const { record } = fixture.folder;
    const calls = await fixture.callsOf(async () => {
      await expect(fixture.stop()).rejects.toMatchObject({ code: 'unknown-daemon', facts: { reason } });
    });
    for (const call of calls) expect(call).toMatch(/^(descriptors\.(place|read)|inspector\..*)$/);
    expect(fixture.folder.record).toBe(record);
    expect(leader.isAlive).toBe(true);
  });

  test('whoever has taken the number of its group since this stop has begun', async () => {
    const fixture = new DaemonFixture({ reuse: 1 });
    await fixture.start(['fork', 'own-session', 'SIGTERM'], { graceMs: 8_000 });
    const { leader } = fixture;
    const stopper = fixture.world.actor();
    const stopping = fixture.attempt(() => stopDaemon(stopper.machine, { ref: web }), stopper);
    await fixture.until(() => leader.life === 'reaped');
    const stranger = await fixture.occupy(leader.pid, (self) => void self.fork());
    const [child] = stranger.children;
    await fixture.lose(stranger);
    expect([child?.life, child?.processGroup, child?.session]).toEqual(['running', leader.pid, leader.pid]);
    expect((await stopping).outcome).toBe('killed');
    expect(child?.life).toBe('running');
  });

  test('the orphan of a stranger that led the old number while the stopper was suspended', async () => {
    const fixture = new DaemonFixture({ reuse: 1 });
    await fixture.start();
    const { leader } = fixture;
    let isAsked = false;
    const stopper = fixture.faultyActor((call) => {
      if (isAsked) stopper.stalledUntilMs = Number.POSITIVE_INFINITY;
      isAsked ||= call === 'signals.send';
      return undefined;
    });
    const stopping = fixture.attempt(() => stopDaemon(stopper.machine, { ref: web }), stopper);
    await fixture.until(() => leader.life === 'reaped');
    const stranger = await fixture.occupy(leader.pid, (self) => void self.fork());
    const [child] = stranger.children;
    await fixture.lose(stranger);
    fixture.world.faults = undefined;
    stopper.stalledUntilMs = 0;
    expect((await stopping).outcome).toBe('stopped');
    expect([child?.life, child?.processGroup, child?.session]).toEqual(['running', leader.pid, leader.pid]);
  });

  test('a starter, whose intent is all that there is', async () => {
    for (const verb of ['stop', 'start'] as const) {
      const fixture = new DaemonFixture({ gated: false });
      const full = new DaemonError('unwritable', 'read-only file system', { errno: 'EROFS' });
      let isReadOnly = false;
      const host = fixture.faultyActor((call) => {
        isReadOnly ||= call === 'spawner.spawn';
        return isReadOnly && /spawn|clear|write/.test(call) ? { when: 'before', what: full } : undefined;
      });
      await host.attempt(() => startDaemon(host.machine, { ref: web, spec: specOf(['sleep']) }));
      fixture.world.faults = undefined;
      expect(fixture.descriptor).toMatchObject({ intent: true, pid: host.process.pid });
      const worker = fixture.world.kernel.fork({ parent: host.process, placement: 'same-group' });
      expect(await look(fixture.machine, web)).toMatchObject({ state: 'running', phase: 'starting' });
      expect((await fixture[verb]()).outcome).toBe(verb === 'stop' ? 'stale-cleaned' : 'started');
      expect([host.ended, worker.isAlive]).toEqual([false, true]);
    }
  });
});

import { describe, expect, test } from 'vitest';
import { look } from '../../src/domain/look.js';
import { failureOf, failuresOf } from '../simulation/failures.js';
import { specOf, web } from './daemon-fixture.js';
import { SupervisorFixture } from './supervisor-fixture.js';

const diskFull = failureOf('descriptors.write', 'ENOSPC');
const tooManyFiles = failureOf('inspector.survey', 'EMFILE');

describe('supervisor: what an earlier run left', () => {
  /** The first run leaves a child behind. */
  const leaving = (fixture: SupervisorFixture) => {
    let runs = 0;
    fixture.define('leaving', (self) => {
      if (++runs > 1) return;
      self.fork({ placement: 'own-session' });
      self.after(30, () => self.exit(1));
    });
  };

  test('is ended after the next run has begun', async () => {
    const fixture = new SupervisorFixture();
    leaving(fixture);
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['leaving']);
    await fixture.untilReplaced(descriptor.instanceId);
    await fixture.until(() => fixture.living.every(({ origin }) => origin?.instanceId !== descriptor.instanceId));
    expect(fixture.leader.isAlive).toBe(true);
  });

  test('is ended by a stop, where the supervisor was killed before it came to that', async () => {
    const fixture = new SupervisorFixture();
    leaving(fixture);
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['leaving']);
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && call === 'runs.append' ? { when: 'before', what: 'crash' } : undefined;
    await fixture.until(() => kept.actor.ended);
    expect(fixture.descriptor?.instanceId).not.toBe(descriptor.instanceId);
    await fixture.stop();
    fixture.expectNothingLeft();
  });

  test('is no reason to end the run that has begun, where it can not be ended', async () => {
    const fixture = new SupervisorFixture();
    leaving(fixture);
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['leaving']);
    let surveys = 0;
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && call === 'inspector.survey' && ++surveys === 1 ? { when: 'before', what: tooManyFiles } : undefined;
    await fixture.untilReplaced(descriptor.instanceId);
    const second = fixture.leader;
    await fixture.until(() => surveys > 0);
    await fixture.world.pass(5);
    expect(second.life).toBe('running');
    expect(await look(fixture.machine, web)).toMatchObject({ state: 'running', phase: 'ready' });
  });
});

describe('supervisor: a run that ends', () => {
  test('is followed by another, and is in the flight recorder once', async () => {
    const fixture = new SupervisorFixture();
    const { descriptor } = await fixture.startBy(fixture.supervisor());
    fixture.kill();
    await fixture.untilReplaced(descriptor.instanceId);
    await fixture.until(() => fixture.runs.length > 0);
    expect(fixture.runs).toMatchObject([
      { instanceId: descriptor.instanceId, signal: 'SIGKILL', cause: 'crash', decision: 'restarted at once' },
    ]);
  });

  test('and can not be followed by another is given up, and in the flight recorder once, however often that is tried (F20)', async () => {
    const fixture = new SupervisorFixture();
    fixture.define('once', () => {});
    await fixture.startBy(fixture.supervisor(), ['once'], { restartLimit: 3 });
    fixture.world.programs.delete('once');
    fixture.kill();
    await fixture.until(() => fixture.descriptor?.phase === 'failed');
    await fixture.until(() => fixture.runs.length > 0);
    await fixture.world.pass(100);
    expect(fixture.runs).toHaveLength(1);
    expect(fixture.runs[0]?.decision).toMatch(/^restarted at once, in vain: command not found: once; /);
  });

  test('is in the flight recorder once, where the disk is full for a while', async () => {
    const fixture = new SupervisorFixture();
    fixture.define('failing', (self) => self.after(10, () => self.exit(1)));
    const kept = fixture.supervisor();
    await fixture.startBy(kept, ['failing'], { restartLimit: 4 });
    let writes = 0;
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && call === 'descriptors.write' && ++writes < 8 ? { when: 'before', what: diskFull } : undefined;
    await fixture.world.pass(15_000);
    expect(fixture.descriptor?.phase).toBe('failed');
    const ids = fixture.runs.map(({ instanceId }) => instanceId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('is restarted also where the first attempt ran, and its end could not be written down', async () => {
    const fixture = new SupervisorFixture();
    let runs = 0;
    fixture.define('second-fails', (self) => {
      if (++runs === 2) self.exit(1);
    });
    const kept = fixture.supervisor();
    await fixture.startBy(kept, ['second-fails']);
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && call === 'descriptors.write' && runs === 2 ? { when: 'before', what: diskFull } : undefined;
    fixture.kill();
    await fixture.until(() => runs === 2);
    await fixture.world.pass(200);
    fixture.world.faults = undefined;
    await fixture.until(() => runs === 3);
    await fixture.until(() => fixture.descriptor?.phase === 'ready');
  });

  test('is restarted also where the first attempt ran, and nothing could be looked up after it', async () => {
    const fixture = new SupervisorFixture();
    let runs = 0;
    fixture.define('second-fails', (self) => {
      if (++runs === 2) self.exit(1);
    });
    const kept = fixture.supervisor();
    await fixture.startBy(kept, ['second-fails']);
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && runs === 2 && call in failuresOf ? { when: 'before', what: tooManyFiles } : undefined;
    fixture.kill();
    await fixture.until(() => runs === 2);
    await fixture.world.pass(200);
    fixture.world.faults = undefined;
    await fixture.until(() => runs === 3 && fixture.descriptor?.phase === 'ready');
    expect(kept.supervisor.names).toEqual(['web']);
  });

  test('as its policy accepts stays over, where the supervisor is killed over it', async () => {
    for (const call of ['logs.tail', 'runs.append', 'inspector.survey', 'descriptors.clear']) {
      const fixture = new SupervisorFixture();
      fixture.define('ending', (self) => self.after(20, () => self.exit(0)));
      const kept = fixture.supervisor();
      await fixture.startBy(kept, ['ending'], { restart: 'on-failure' });
      fixture.world.faults = (one) => (one.actor === kept.actor && one.call === call ? { when: 'before', what: 'crash' } : undefined);
      await fixture.until(() => kept.actor.ended);
      await fixture.takeOverBy(fixture.supervisor());
      await fixture.until(() => fixture.descriptor === undefined);
      await fixture.world.pass(100);
      fixture.expectNothingLeft();
    }
  });

  test('after a wait for the lock is as long as it was', async () => {
    const fixture = new SupervisorFixture();
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['sleep'], { stableMs: 500, restartDelayMs: 300, restartMaxDelayMs: 300 });
    fixture.kill();
    await fixture.untilReplaced(descriptor.instanceId);
    const held = await fixture.attempt(() => fixture.machine.lock.acquire(web, { timeoutMs: 1_000 }));
    fixture.kill();
    await fixture.world.pass(600);
    await fixture.attempt(async () => held.release());
    await fixture.until(() => fixture.descriptor?.phase === 'backoff');
    expect(fixture.descriptor?.history).toMatchObject({ restarts: 2, streak: 2 });
  });
});

describe('supervisor: health', () => {
  const health = { probe: { kind: 'port', port: 7 }, intervalMs: 5, timeoutMs: 5, threshold: 2, startGraceMs: 20 } as const;

  test('one that is not well is ended and started again', async () => {
    const fixture = new SupervisorFixture();
    const { descriptor } = await fixture.startBy(fixture.supervisor(), ['sleep'], { health });
    await fixture.untilReplaced(descriptor.instanceId);
    await fixture.until(() => fixture.runs.length > 0);
    expect(fixture.runs[0]).toMatchObject({ instanceId: descriptor.instanceId, cause: 'crash' });
  });

  test('a restart of one that is not well is counted, where the supervisor is killed while it ends it', async () => {
    const fixture = new SupervisorFixture();
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['linger', '50'], { health });
    await fixture.until(() => fixture.descriptor?.phase === 'backoff');
    kept.actor.crash();
    const after = fixture.supervisor();
    await fixture.takeOverBy(after);
    await fixture.until(() => fixture.descriptor?.instanceId !== descriptor.instanceId);
    expect(fixture.descriptor?.history).toMatchObject({ restarts: 1, streak: 1 });
  });
});

describe('supervisor: taking over', () => {
  /** A daemon that is between two runs, its supervisor gone. */
  const leftInBackoff = async (fixture: SupervisorFixture) => {
    const kept = fixture.supervisor();
    const { descriptor } = await fixture.startBy(kept, ['sleep'], { restartDelayMs: 500, restartMaxDelayMs: 500 });
    fixture.kill();
    await fixture.untilReplaced(descriptor.instanceId);
    fixture.kill();
    await fixture.until(() => fixture.descriptor?.phase === 'backoff' && fixture.runs.length === 2);
    kept.actor.crash();
  };

  test('between two runs: goes on, and counts and records nothing twice', async () => {
    const fixture = new SupervisorFixture();
    await leftInBackoff(fixture);
    await fixture.takeOverBy(fixture.supervisor());
    await fixture.until(() => fixture.descriptor?.phase === 'ready');
    expect(fixture.descriptor?.history).toMatchObject({ restarts: 2, streak: 2 });
    await fixture.world.pass(50);
    expect(fixture.runs).toHaveLength(2);
  });

  test('after a reboot: restarts of another boot are no crash loop', async () => {
    const fixture = new SupervisorFixture();
    const { descriptor } = await fixture.startBy(fixture.supervisor(), ['sleep'], { restartLimit: 1 });
    fixture.kill();
    await fixture.untilReplaced(descriptor.instanceId);
    fixture.world.reboot();
    await fixture.world.pass(1_000);
    const next = fixture.supervisor(fixture.world.actor());
    await fixture.takeOverBy(next);
    await fixture.until(() => fixture.descriptor?.phase === 'ready');
  });

  test('after a reboot, of two at once: one keeps it', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fixture = new SupervisorFixture({ seed });
      await fixture.startBy(fixture.supervisor());
      fixture.world.reboot();
      const rivals = [fixture.supervisor(fixture.world.actor()), fixture.supervisor(fixture.world.actor())];
      await Promise.all(rivals.map((rival) => fixture.takeOverBy(rival)));
      expect(rivals.flatMap(({ supervisor }) => supervisor.names)).toEqual(['web']);
    }
  });

  test('is tried again where it fails, and what was recorded all the same is kept', async () => {
    for (const when of ['before', 'after'] as const) {
      const fixture = new SupervisorFixture();
      const first = fixture.supervisor();
      const { descriptor } = await fixture.startBy(first);
      first.actor.crash();
      const next = fixture.supervisor();
      let writes = 0;
      fixture.world.faults = ({ actor, call }) =>
        actor === next.actor && call === 'descriptors.write' && ++writes === 1 ? { when, what: diskFull } : undefined;
      await fixture.takeOverBy(next);
      expect(next.supervisor.names).toEqual(['web']);
      fixture.kill();
      await fixture.untilReplaced(descriptor.instanceId);
    }
  });

  test('what is looked up of one that is taken over fails: it is not recorded as kept by whom does not keep it', async () => {
    const fixture = new SupervisorFixture();
    const first = fixture.supervisor();
    await fixture.startBy(first);
    first.actor.crash();
    const next = fixture.supervisor();
    let failures = 0;
    fixture.world.faults = ({ actor, call }) =>
      actor === next.actor && call === 'inspector.environmentOf' && ++failures === 1 ? { when: 'before', what: tooManyFiles } : undefined;
    await fixture.takeOverBy(next);
    expect(next.supervisor.names).toEqual(['web']);
  });

  test('one that is not ready yet is waited for, and does not keep the others waiting', async () => {
    const fixture = new SupervisorFixture();
    const first = fixture.supervisor();
    const starting = first.actor.attempt(() =>
      first.supervisor.start({ ref: web, spec: specOf(['notify', '200'], { restart: 'always', ready: { kind: 'notify' } }) }),
    );
    await fixture.untilStarting();
    first.actor.crash();
    await starting;
    const next = fixture.supervisor();
    const beganMs = fixture.world.schedule.nowMs;
    await fixture.takeOverBy(next);
    expect(fixture.world.schedule.nowMs - beganMs).toBeLessThan(100);
    await fixture.until(() => fixture.descriptor?.phase === 'ready');
    expect(next.supervisor.names).toEqual(['web']);
  });

  test('one that was given up while it ran on is ended, and stays given up', async () => {
    const fixture = new SupervisorFixture();
    const first = fixture.supervisor();
    await fixture.startBy(first);
    first.actor.crash();
    fixture.rewrite({ phase: 'failed' });
    await fixture.takeOverBy(fixture.supervisor());
    await fixture.until(() => fixture.living.length === 0);
    await fixture.world.pass(100);
    expect(await look(fixture.machine, web)).toMatchObject({ state: 'stopped', phase: 'failed' });
  });

  test('one whose stop was interrupted is stopped', async () => {
    const fixture = new SupervisorFixture();
    const first = fixture.supervisor();
    await fixture.startBy(first);
    first.actor.crash();
    fixture.rewrite({ phase: 'stopping' });
    await fixture.takeOverBy(fixture.supervisor());
    await fixture.until(() => fixture.living.length === 0 && fixture.descriptor === undefined);
  });

  test('one of another container is left alone', async () => {
    const fixture = new SupervisorFixture();
    const first = fixture.supervisor();
    await fixture.startBy(first);
    first.actor.crash();
    fixture.rewrite({ bootId: 'other', host: 'other' });
    const before = fixture.descriptor;
    const next = fixture.supervisor();
    await fixture.takeOverBy(next);
    expect(next.supervisor.names).toEqual([]);
    expect(fixture.descriptor).toEqual(before);
  });

  test('of two at once, one keeps it', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const fixture = new SupervisorFixture({ seed });
      const first = fixture.supervisor();
      await fixture.startBy(first);
      first.actor.crash();
      const rivals = [fixture.supervisor(), fixture.supervisor()];
      await Promise.all(rivals.map((rival) => fixture.takeOverBy(rival)));
      expect(rivals.flatMap(({ supervisor }) => supervisor.names)).toEqual(['web']);
    }
  });

  test('a start by one of what another keeps, and that runs, leaves it to that one', async () => {
    const fixture = new SupervisorFixture();
    const first = fixture.supervisor();
    await fixture.startBy(first);
    const other = fixture.supervisor();
    expect(await fixture.startBy(other)).toMatchObject({ outcome: 'already-running' });
    expect(first.supervisor.names).toEqual(['web']);
    expect(other.supervisor.names).toEqual([]);
  });
});

describe('supervisor: a start that succeeds', () => {
  test('is kept, and fails over nothing that comes after it', async () => {
    const fixture = new SupervisorFixture();
    const kept = fixture.supervisor();
    let isReady = false;
    fixture.world.onCall = ({ actor, call }) => {
      if (actor === kept.actor && call === 'lock.release') isReady = true;
    };
    fixture.world.faults = ({ actor, call }) =>
      actor === kept.actor && isReady && call.startsWith('descriptors.') ? { when: 'before', what: tooManyFiles } : undefined;
    const started = await fixture.attempt(
      () => kept.supervisor.start({ ref: web, spec: specOf(['sleep'], { restart: 'always' }) }),
      kept.actor,
    );
    expect(started).toMatchObject({ outcome: 'started' });
    expect(kept.supervisor.names).toEqual(['web']);
    // One that remembers nothing of what it was given: the remembered spec is the one that counted under the lock.
    fixture.world.faults = undefined;
    const again = await fixture.attempt(() => kept.supervisor.restart({ ref: web }), kept.actor);
    expect(again).toMatchObject({ outcome: 'started' });
    await fixture.until(() => kept.supervisor.names.length === 1);
  });
});

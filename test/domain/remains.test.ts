import { describe, expect, test } from 'vitest';
import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import type { Descriptor } from '../../src/domain/descriptor.js';
import { findMarked, findRemains } from '../../src/domain/remains.js';
import { DaemonFixture } from './daemon-fixture.js';

/** A running daemon with a child in its group, one in a group of its own and one in a session of its own. */
async function family(options: { keepsMarks?: boolean; reuse?: number; initReaps?: 'late' | 'never' } = {}) {
  const fixture = new DaemonFixture(options);
  const members: SimulatedProcess[] = [];
  fixture.define('family', (self) => {
    for (const placement of ['same-group', 'own-group', 'own-session'] as const) {
      members.push(self.fork({ placement, keepsMarks: options.keepsMarks ?? true }));
    }
  });
  const { descriptor } = await fixture.start(['family']);
  const [sameGroup, ownGroup, ownSession] = members as [SimulatedProcess, SimulatedProcess, SimulatedProcess];
  return { fixture, descriptor, leader: fixture.leader, sameGroup, ownGroup, ownSession };
}

async function remainsOf(fixture: DaemonFixture, descriptor: Descriptor, wasJustAlive: boolean, actor: SimulatedActor = fixture.actor) {
  const leaderAliveMs = wasJustAlive ? actor.machine.clock.monotonicMs() : undefined;
  const remains = await fixture.attempt(() => findRemains(actor.machine, { descriptor, leaderAliveMs }), actor);
  const pids = (rows: readonly { pid: number }[]) => rows.map((row) => row.pid).sort((a, b) => a - b);
  return { leader: remains.leader?.pid, group: pids(remains.group), escaped: pids(remains.escaped) };
}

describe('findRemains', () => {
  test('leader, group and who left it, each in its place', async () => {
    const { fixture, descriptor, leader, sameGroup, ownGroup, ownSession } = await family();
    expect(await remainsOf(fixture, descriptor, true)).toEqual({
      leader: leader.pid,
      group: [sameGroup.pid],
      escaped: [ownGroup.pid, ownSession.pid].sort((a, b) => a - b),
    });
  });

  test('of a group that has cleared its environment, with its leader or after it was seen alive', async () => {
    const { fixture, descriptor, leader, sameGroup } = await family({ keepsMarks: false });
    expect(await remainsOf(fixture, descriptor, false)).toEqual({ leader: leader.pid, group: [sameGroup.pid], escaped: [] });
    await fixture.lose(leader);
    expect(await remainsOf(fixture, descriptor, true)).toEqual({ leader: undefined, group: [sameGroup.pid], escaped: [] });
  });

  test('of a dead leader that nobody saw alive: a group that proves whose it is', async () => {
    const { fixture, descriptor, leader, sameGroup } = await family();
    await fixture.lose(leader);
    expect(await remainsOf(fixture, descriptor, false)).toMatchObject({ leader: undefined, group: [sameGroup.pid] });
  });

  test('of a dead leader that nobody saw alive: not a group that proves nothing', async () => {
    const { fixture, descriptor, leader } = await family({ keepsMarks: false });
    await fixture.lose(leader);
    expect(await remainsOf(fixture, descriptor, false)).toEqual({ leader: undefined, group: [], escaped: [] });
  });

  test('of a leader that is a zombie: its group, which its slot still proves', async () => {
    const { fixture, descriptor, leader, sameGroup } = await family({ keepsMarks: false });
    fixture.actor.process.reaps = false;
    fixture.world.kernel.exit(leader, { exitCode: 1, signal: null });
    expect(leader.life).toBe('zombie');
    expect(await remainsOf(fixture, descriptor, false)).toEqual({ leader: undefined, group: [sameGroup.pid], escaped: [] });
  });

  test.each(['alive', 'zombie'] as const)("a stranger in the leader's slot, %s: no group, whoever is in it", async (life) => {
    const { fixture, descriptor, leader, sameGroup, ownGroup, ownSession } = await family({ reuse: 1, initReaps: 'never' });
    // While its group lives, the kernel gives out no such pid.
    await fixture.lose(leader);
    for (const member of [sameGroup, ownGroup, ownSession]) {
      fixture.world.kernel.exit(member, { exitCode: 0, signal: null });
      fixture.world.kernel.root.remove(member, fixture.world.schedule.nowMs);
    }
    const stranger = await fixture.occupy(descriptor.pid, (self) => void self.fork());
    if (life === 'zombie') fixture.world.kernel.exit(stranger, { exitCode: 0, signal: null });
    for (const seen of [true, false])
      expect(await remainsOf(fixture, descriptor, seen)).toEqual({ leader: undefined, group: [], escaped: [] });
  });

  test('while a group lives, its number is given to nobody', async () => {
    const { fixture, descriptor, leader, sameGroup, ownGroup } = await family({ reuse: 1 });
    for (const one of [leader, ownGroup]) await fixture.lose(one);
    await expect(fixture.occupy(descriptor.pid)).rejects.toThrow('never used again');
    await fixture.lose(sameGroup);
    expect((await fixture.occupy(descriptor.pid)).pid).toBe(descriptor.pid);
  });

  test("one member of another user's makes the group somebody else's", async () => {
    const { fixture, descriptor, leader, sameGroup } = await family();
    const foreigner = fixture.world.kernel.fork({ parent: leader, placement: 'same-group', uid: 2_000 });
    await fixture.lose(leader);
    expect([foreigner.processGroup, foreigner.session]).toEqual([descriptor.pid, descriptor.pid]);
    expect(await remainsOf(fixture, descriptor, false)).toMatchObject({ group: [], escaped: expect.arrayContaining([sameGroup.pid]) });
  });

  test("one member of another instance's makes the group that one's", async () => {
    const { fixture, descriptor, leader, sameGroup } = await family();
    await fixture.lose(leader);
    Object.assign(sameGroup, { marks: { ...sameGroup.marks, instanceId: 'another' } });
    expect(await remainsOf(fixture, descriptor, false)).toMatchObject({ group: [] });
  });

  test('members that are older than the leader make the group an earlier one', async () => {
    const { fixture, descriptor, leader, sameGroup } = await family();
    await fixture.lose(leader);
    Object.assign(sameGroup, { startToken: String(Number(descriptor.startToken) - 1) });
    expect(await remainsOf(fixture, descriptor, false)).toMatchObject({ group: [], escaped: expect.not.arrayContaining([sameGroup.pid]) });
  });

  test('members of another session make the group a later one', async () => {
    const { fixture, descriptor, leader, sameGroup } = await family({ keepsMarks: false });
    await fixture.lose(leader);
    Object.assign(sameGroup, { session: 1, marks: leader.marks });
    expect(await remainsOf(fixture, descriptor, false)).toMatchObject({ group: [], escaped: [sameGroup.pid] });
  });

  test('zombies are nobody', async () => {
    const { fixture, descriptor, leader, ownSession, sameGroup, ownGroup } = await family();
    leader.reaps = false;
    for (const member of [sameGroup, ownSession]) fixture.world.kernel.exit(member, { exitCode: 0, signal: null });
    expect(await remainsOf(fixture, descriptor, true)).toEqual({ leader: leader.pid, group: [], escaped: [ownGroup.pid] });
  });

  test('the caller and his ancestors are never among them, the leader apart', async () => {
    const { fixture, descriptor, leader, sameGroup } = await family();
    const caller = fixture.world.actor({ parent: sameGroup, placement: 'same-group' });
    const remains = await remainsOf(fixture, descriptor, true, caller);
    expect(remains.leader).toBe(leader.pid);
    expect(remains.group).toEqual([]);
    expect([...remains.group, ...remains.escaped]).not.toContain(caller.process.pid);
  });

  test('of an intent: only who carries its marks, never the starter nor his group', async () => {
    const { fixture, descriptor, sameGroup, ownGroup, ownSession, leader } = await family();
    const starter = fixture.world.actor();
    fixture.world.kernel.fork({ parent: starter.process, placement: 'same-group' });
    const intent: Descriptor = { ...descriptor, ...starter.identity, startToken: descriptor.startToken, intent: true };
    const remains = await remainsOf(fixture, intent, false);
    expect(remains.leader).toBeUndefined();
    expect(remains.group).toEqual([]);
    expect(remains.escaped).toEqual([leader, sameGroup, ownGroup, ownSession].map(({ pid }) => pid).sort((a, b) => a - b));
  });

  test("marks that can't be read are nobody's", async () => {
    const { fixture, descriptor } = await family();
    const other = fixture.world.actor({ uid: 2_000 });
    expect(await remainsOf(fixture, descriptor, true, other)).toMatchObject({ escaped: [] });
  });
});

describe('findMarked', () => {
  test('everybody who carries the path, the caller and his ancestors apart', async () => {
    const { fixture, descriptor, leader, sameGroup, ownGroup, ownSession } = await family();
    const path = leader.marks?.descriptor ?? '';
    const caller = fixture.world.actor({ parent: ownSession });
    const found = await fixture.attempt(() => findMarked(caller.machine, path), caller);
    expect(found.map((row) => row.pid).sort()).toEqual([sameGroup, ownGroup].map(({ pid }) => pid).sort());
    expect(await fixture.attempt(() => findMarked(fixture.machine, '/another.json'))).toEqual([]);
    expect(descriptor.pid).toBe(leader.pid);
  });
});

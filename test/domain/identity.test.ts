import { describe, expect, test } from 'vitest';
import { isDead, judgeObservation, judgeWorld, type Observation, type ProcessIdentity, type Vantage } from '../../src/domain/identity.js';
import { fc } from './property.js';

const recorded: ProcessIdentity = {
  pid: 100,
  startToken: '4242',
  bootId: 'boot-1',
  pidNamespace: 'pid:[1]',
  timeNamespace: 'time:[1]',
  host: 'host-1',
};
const here: Vantage = { ...recorded, pid: 7, startToken: '1', uid: 1000, exclusiveHome: false };

describe('judgeWorld', () => {
  const same = { kind: 'same' };
  const ended = { kind: 'ended' };
  const other = (reason: string) => ({ kind: 'other', reason });
  const exclusive = { exclusiveHome: true };

  const cases: [string, Partial<Vantage>, boolean | undefined, object][] = [
    ['the same world', {}, undefined, same],
    ['another host', { host: 'host-2' }, undefined, other('other-host')],
    ['another host, home exclusive', { host: 'host-2', ...exclusive }, false, other('other-host')],
    ['another host that was booted since', { host: 'host-2', bootId: 'boot-2' }, false, other('other-host')],
    ['another boot of this machine', { bootId: 'boot-2' }, undefined, ended],
    ['another boot, seen from another namespace', { bootId: 'boot-2', pidNamespace: 'pid:[2]' }, undefined, other('other-boot')],
    ['another boot, another namespace that is empty', { bootId: 'boot-2', pidNamespace: 'pid:[2]' }, false, other('other-boot')],
    ['another boot, another namespace, home exclusive', { bootId: 'boot-2', pidNamespace: 'pid:[2]', ...exclusive }, undefined, ended],
    ['another boot, another time namespace', { bootId: 'boot-2', timeNamespace: 'time:[2]' }, undefined, ended],
    ['another namespace', { pidNamespace: 'pid:[2]' }, undefined, other('other-pid-namespace')],
    ['another namespace where somebody lives', { pidNamespace: 'pid:[2]' }, true, other('other-pid-namespace')],
    ['another namespace where nobody lives any more', { pidNamespace: 'pid:[2]' }, false, ended],
    ['an earlier namespace of an exclusive home', { pidNamespace: 'pid:[2]', ...exclusive }, undefined, ended],
    ['another time namespace', { timeNamespace: 'time:[2]' }, undefined, other('other-time-namespace')],
  ];
  test.each(cases)('%s', (_, vantage, inhabited, verdict) => {
    expect(judgeWorld(recorded, { ...here, ...vantage }, inhabited)).toEqual(verdict);
  });

  const worlds = fc.record({
    host: fc.constantFrom('host-1', 'host-2'),
    bootId: fc.constantFrom('boot-1', 'boot-2'),
    pidNamespace: fc.constantFrom('pid:[1]', 'pid:[2]'),
    timeNamespace: fc.constantFrom('time:[1]', 'time:[2]'),
    exclusiveHome: fc.boolean(),
  });
  const inhabitants = fc.constantFrom(true, false, undefined);

  test('pids mean something only where every part of the world agrees', () => {
    fc.assert(
      fc.property(worlds, inhabitants, (world, inhabited) => {
        const { host, bootId, pidNamespace, timeNamespace } = world;
        const agrees = host === 'host-1' && bootId === 'boot-1' && pidNamespace === 'pid:[1]' && timeNamespace === 'time:[1]';
        expect(judgeWorld(recorded, { ...here, ...world }, inhabited).kind === 'same').toBe(agrees);
      }),
    );
  });

  test('a world is over only on this host, and only with a proof', () => {
    fc.assert(
      fc.property(worlds, inhabitants, (world, inhabited) => {
        if (judgeWorld(recorded, { ...here, ...world }, inhabited).kind !== 'ended') return;
        const rebooted = world.bootId !== 'boot-1' && world.pidNamespace === 'pid:[1]';
        const empty = world.bootId === 'boot-1' && world.pidNamespace !== 'pid:[1]' && inhabited === false;
        const replaced = world.exclusiveHome && (world.bootId !== 'boot-1' || world.pidNamespace !== 'pid:[1]');
        // Another host's name means another host, unless it is a container of this boot.
        expect(world.host === 'host-1' ? rebooted || empty || replaced : empty).toBe(true);
      }),
    );
  });

  test('who looks does not matter, only from where', () => {
    fc.assert(
      fc.property(worlds, inhabitants, fc.integer(), fc.string(), fc.integer(), (world, inhabited, pid, startToken, uid) => {
        const vantage = { ...here, ...world };
        expect(judgeWorld(recorded, { ...vantage, pid, startToken, uid }, inhabited)).toEqual(judgeWorld(recorded, vantage, inhabited));
      }),
    );
  });
});

describe('judgeObservation', () => {
  const process = { kind: 'process', startToken: '4242', zombie: false, uid: 1000, processGroup: 100, session: 100 } as const;

  const cases: [string, Observation, object, boolean][] = [
    ['the recorded process', process, { kind: 'alive' }, false],
    ["the recorded process, under another user's id", { ...process, uid: 0 }, { kind: 'alive' }, false],
    ['a zombie is dead', { ...process, zombie: true }, { kind: 'zombie' }, true],
    ['an empty slot', { kind: 'absent' }, { kind: 'gone' }, true],
    ['a later process in the same slot', { ...process, startToken: '4243' }, { kind: 'stranger' }, true],
    ['an earlier process in the same slot', { ...process, startToken: '4241' }, { kind: 'stranger' }, true],
    ['a zombie of a later process', { ...process, startToken: '4243', zombie: true }, { kind: 'stranger' }, true],
    ['a token that is equal as a number only', { ...process, startToken: '04242' }, { kind: 'stranger' }, true],
    ['a process that does not show itself', { kind: 'hidden' }, { kind: 'cannot-tell', reason: 'hidden-process' }, false],
  ];
  test.each(cases)('%s', (_, seen, sighting, dead) => {
    const judged = judgeObservation(recorded, seen);
    expect(judged).toEqual(sighting);
    expect(isDead(judged)).toBe(dead);
  });

  test('isDead: what cannot be told is not dead', () => {
    expect(isDead({ kind: 'cannot-tell', reason: 'other-host' })).toBe(false);
  });
});

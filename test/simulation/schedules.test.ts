import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/domain/ports.js';
import { withIdentityByPid, withLivingZombies, withLockThatExcludesNobody, withoutGate } from './broken-machines.js';
import { Violation } from './invariants.js';
import { explain, type SimulationOptions, simulate } from './simulation.js';

const count = Number(process.env.DAEMONRY_SCHEDULES ?? 1_200);
const first = Number(process.env.DAEMONRY_SEED ?? 1);

/** Whoever ends there stays, so there must be room for all. */
const neverReaping = { initReaps: 'never', pids: { first: 2, last: 600 } } as const;

describe('random schedules', () => {
  const kinds: [string, Omit<SimulationOptions, 'seed'>][] = [
    ['with crashes, strangers, deaths, spoiled files and reboots', {}],
    ['on a machine whose pid 1 reaps nobody', { world: neverReaping }],
    ['on a machine without a launch gate', { world: { gated: false } }],
    ['of many users who never crash', { users: 8, verbsEach: 2, crashes: 0, chaos: { rebootMs: 0 } }],
  ];

  test.each(kinds)('%s: every invariant holds after every step', async (_, options) => {
    for (let seed = first; seed < first + count / kinds.length; seed++) {
      try {
        await simulate({ ...options, seed });
      } catch {
        expect.fail(`DAEMONRY_SEED=${seed} DAEMONRY_SCHEDULES=1 brings it back\n${await explain({ ...options, seed })}`);
      }
    }
  });

  test('they get about: every outcome and every state that the world offers is met', async () => {
    const met = new Set<string>();
    for (let seed = 1; seed <= 400; seed++) for (const one of (await simulate({ seed })).seen) met.add(one);
    const outcomes = ['started', 'already-running', 'replaced', 'stopped', 'killed', 'already-stopped', 'stale-cleaned', 'crashed'];
    const errors = ['not-found', 'ended-before-ready'];
    const reasons = ['no-descriptor', 'ended-cleanly', 'alive', 'process-gone', 'process-is-a-zombie', 'pid-reused', 'corrupt-descriptor'];
    const phases = ['phase starting', 'phase ready', 'phase stopping', 'phase null'];
    expect([...met].sort()).toEqual([...outcomes, ...errors, ...reasons, ...phases].sort());
  });

  test('one seed brings the same schedule back, another one another', async () => {
    const traceOf = async (seed: number) => {
      const trace: string[] = [];
      await simulate({ seed, trace: (line) => trace.push(line) });
      return trace;
    };
    const trace = await traceOf(7);
    expect(trace.length).toBeGreaterThan(100);
    expect(await traceOf(7)).toEqual(trace);
    expect(await traceOf(8)).not.toEqual(trace);
  });
});

describe('a machine with a flaw is found out', () => {
  const flaws: [string, (machine: Machine) => Machine, Partial<SimulationOptions>, string][] = [
    ['a lock that excludes nobody', withLockThatExcludesNobody, { invariants: ['one-instance'] }, 'one-instance'],
    ['a lock that excludes nobody, by who writes', withLockThatExcludesNobody, { invariants: ['one-writer'] }, 'one-writer'],
    ['an identity that is a bare pid', withIdentityByPid, { invariants: ['no-signal-to-others'] }, 'no-signal-to-others'],
    ['a launch that does not wait for its record', withoutGate, {}, 'no-daemon-without-descriptor'],
    ['a zombie that counts as alive', withLivingZombies, { world: neverReaping }, 'verb'],
  ];

  test.each(flaws)('%s', async (_, flaw, options, invariant) => {
    expect(await violationsOf({ ...options, flaw }, 60)).toContain(invariant);
  });
});

async function violationsOf(options: Omit<SimulationOptions, 'seed'>, seeds: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await simulate({ ...options, seed });
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      found.add(error.invariant);
    }
  }
  return found;
}

import { describe, expect, test } from 'vitest';
import {
  withCleanupByPath,
  withCountsInMemory,
  withDeniedReadAsDead,
  withDescriptorInPlace,
  withIdentityByPid,
  withLivingZombies,
  withLockByMtime,
  withLockThatExcludesNobody,
  withoutGate,
  withoutRivals,
  withoutTakeover,
  withRecordsInMemory,
  withSignalsByBarePid,
  withUnreadRecorder,
} from './broken-machines.js';
import { quickRuns } from './budget.js';
import { campaign } from './campaign.js';
import type { Invariant } from './invariants.js';
import type { Flaw } from './simulation.js';

interface Broken {
  readonly flaw: Flaw;
  /** Which invariant it is to be convicted by; a broken lock would be by its writers at once. */
  readonly by: Invariant;
}

const broken: Readonly<Record<string, Broken>> = {
  'a lock that excludes nobody (F11)': { flaw: withLockThatExcludesNobody, by: 'one-instance' },
  'a lock by the age of a file (F14)': { flaw: withLockByMtime, by: 'one-instance' },
  'a signal by bare pid (F2)': { flaw: withSignalsByBarePid, by: 'no-signal-to-others' },
  'an identity that is a bare pid (F1)': { flaw: withIdentityByPid, by: 'no-signal-to-others' },
  'a spawn before the descriptor, without a gate (F12)': { flaw: withoutGate, by: 'no-daemon-without-descriptor' },
  'cleanup by path (F30)': { flaw: withCleanupByPath, by: 'no-daemon-without-descriptor' },
  'EPERM read as dead (F8)': { flaw: withDeniedReadAsDead, by: 'one-instance' },
  'a descriptor truncated in place (F23)': { flaw: withDescriptorInPlace, by: 'whole-descriptor' },
  'a zombie that counts as alive (F5)': { flaw: withLivingZombies, by: 'verb' },
  'a supervisor that does not see that a daemon was stopped': { flaw: withRecordsInMemory, by: 'no-unasked-restart' },
  'a supervisor that counts restarts in memory (F20)': { flaw: withCountsInMemory, by: 'restart-limit' },
  'a supervisor that trusts to be alone': { flaw: withoutRivals, by: 'one-keeper' },
  'a supervisor that takes nothing over': { flaw: withoutTakeover, by: 'never-forgotten' },
  'a flight recorder that is only written to': { flaw: withUnreadRecorder, by: 'one-record' },
};

describe('a machine with a flaw is found out within the normal budget, and its history made small', () => {
  test.each(Object.entries(broken))('%s', async (title, { flaw, by }) => {
    const { failure, runs } = await campaign({ firstSeed: 1, runs: quickRuns, flaw, invariants: [by] });
    expect(failure).toMatchObject({ invariant: by });
    expect(failure?.incidents).toBeLessThanOrEqual(6);
    console.log(`${title}: schedule ${runs} of ${quickRuns}\n${failure?.history}`);
  });
});

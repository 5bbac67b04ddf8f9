import { describe, expect, test } from 'vitest';
import type { DaemonRef, Machine } from '../../src/domain/ports.js';
import { shareSurveys } from '../../src/domain/share-surveys.js';
import { startDaemon } from '../../src/domain/start-daemon.js';
import { stopDaemon } from '../../src/domain/stop-daemon.js';
import { DaemonFixture, specOf } from './daemon-fixture.js';

const refs: readonly DaemonRef[] = Array.from({ length: 8 }, (_, index) => ({ name: `web-${index}` }));

/** Eight daemons, each with a child that left its group. */
async function eightFamilies(): Promise<DaemonFixture> {
  const fixture = new DaemonFixture();
  fixture.define('family', (self) => {
    self.fork({ placement: 'own-session', keepsMarks: true });
  });
  for (const ref of refs) await fixture.attempt(() => startDaemon(fixture.machine, { ref, spec: specOf(['family']) }));
  return fixture;
}

function living(fixture: DaemonFixture): readonly number[] {
  const daemons = [...fixture.world.kernel.root.processes.values()].filter(
    (process) => process.isAlive && process.origin?.descriptor !== undefined,
  );
  return daemons.map(({ pid }) => pid);
}

async function stopAll(fixture: DaemonFixture, machine: Machine) {
  let results: readonly { outcome: string; escaped: readonly number[] }[] = [];
  const calls = await fixture.callsOf(async () => {
    results = await fixture.attempt(() => Promise.all(refs.map((ref) => stopDaemon(machine, { ref }))));
  });
  return {
    results,
    surveys: calls.filter((call) => call === 'inspector.survey').length,
    marks: calls.filter((call) => call === 'inspector.marksOf').length,
  };
}

describe('shared surveys', () => {
  test('many that are ended at once are all ended, those that left their groups too, with fewer looks at the process table', async () => {
    const alone = await eightFamilies();
    const each = await stopAll(alone, alone.machine);
    const together = await eightFamilies();
    const shared = await stopAll(together, shareSurveys(together.machine));
    expect(shared.results.map(({ outcome, escaped }) => [outcome, escaped.length])).toEqual(refs.map(() => ['stopped', 1]));
    expect(living(together)).toEqual([]);
    expect(shared.surveys).toBeLessThan(each.surveys);
    expect(shared.marks).toBeLessThan(each.marks / 2);
  });

  test('whoever asks while one is under way gets the next', async () => {
    const fixture = new DaemonFixture();
    const { inspector } = shareSurveys(fixture.machine);
    let late: Promise<{ isThere: boolean }> | undefined;
    const calls = await fixture.callsOf(async () => {
      await fixture.attempt(async () => {
        const first = inspector.survey();
        const same = inspector.survey();
        fixture.world.faults = ({ call }) => {
          if (call === 'inspector.survey' && !late) {
            const stranger = fixture.world.spawnStranger();
            late = Promise.resolve(inspector.survey()).then((rows) => ({ isThere: rows.some(({ pid }) => pid === stranger.pid) }));
          }
          return undefined;
        };
        expect(await same).toBe(await first);
        expect(await late).toEqual({ isThere: true });
      });
    });
    expect(calls.filter((call) => call === 'inspector.survey')).toHaveLength(2);
  });
});

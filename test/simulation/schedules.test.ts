import { describe, expect, test } from 'vitest';
import { firstSeed, quickRuns, runs } from './budget.js';
import { type CampaignReport, campaign } from './campaign.js';
import { scenarioOf } from './scenario.js';
import { simulate } from './simulation.js';

describe('random schedules', () => {
  let report: CampaignReport;

  test('every invariant holds after every step of each', { timeout: 60_000 + runs * 10 }, async () => {
    report = await campaign({ firstSeed, runs });
    console.log(`${report.runs} schedules from seed ${firstSeed}, ${report.steps} steps, ${report.states} distinct states`);
    if (report.failure) expect.fail(`\`npm run sim -- --seed ${report.failure.seed}\` brings it back\n${report.failure.history}`);
  });

  test('they get about: every outcome, every error and every state that the world offers is met', async () => {
    const { seen } = firstSeed === 1 && runs >= quickRuns ? report : await campaign({ firstSeed: 1, runs: quickRuns });
    const outcomes = ['started', 'already-running', 'replaced', 'stopped', 'killed', 'already-stopped', 'stale-cleaned', 'crashed'];
    const errors = [
      'not-found',
      'no-remembered-spec',
      'ended-before-ready',
      'ready-timeout',
      'wait-timeout',
      'cancelled',
      'unwritable',
      'not-permitted',
      'unknown-daemon',
    ];
    const reasons = [
      'no-descriptor',
      'ended-cleanly',
      'alive',
      'process-gone',
      'process-is-a-zombie',
      'pid-reused',
      'corrupt-descriptor',
      'awaiting-restart',
      'crash-loop',
    ];
    const blindness = ['hidden-process', 'other-pid-namespace'];
    const phases = ['phase starting', 'phase ready', 'phase stopping', 'phase null', 'phase backoff', 'phase failed'];
    expect([...seen]).toEqual(expect.arrayContaining([...outcomes, ...errors, ...reasons, ...blindness, ...phases]));
  });

  test('one seed brings the same schedule back, another one another', async () => {
    const traceOf = async (seed: number) => {
      const trace: string[] = [];
      await simulate(scenarioOf(seed), { trace: (line) => trace.push(line) });
      return trace;
    };
    const trace = await traceOf(11);
    expect(trace.length).toBeGreaterThan(50);
    expect(await traceOf(11)).toEqual(trace);
    expect(await traceOf(12)).not.toEqual(trace);
  });
});

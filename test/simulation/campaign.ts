import { Coverage } from './coverage.js';
import { scenarioOf } from './scenario.js';
import { historyOf, shrink } from './shrink.js';
import { type SimulationOptions, simulate } from './simulation.js';

export interface CampaignOptions extends SimulationOptions {
  readonly firstSeed: number;
  readonly runs: number;
  /** Called now and then, with what was done so far. */
  readonly onProgress?: ((progress: CampaignProgress) => void) | undefined;
}

export interface CampaignProgress {
  readonly runs: number;
  readonly steps: number;
  /** Of the machine, as `Coverage` tells them apart. */
  readonly states: number;
}

export interface CampaignReport extends CampaignProgress {
  /** How verbs came out, and how daemons were seen. */
  readonly seen: ReadonlySet<string>;
  /** The first seed that broke an invariant, with its history made small. */
  readonly failure: { readonly seed: number; readonly invariant: string; readonly incidents: number; readonly history: string } | undefined;
}

const runsPerProgress = 500;

/** Plays the scenarios of so many seeds, one after the other, up to the first violation. */
export async function campaign({ firstSeed, runs, onProgress, ...options }: CampaignOptions): Promise<CampaignReport> {
  const coverage = new Coverage();
  const seen = new Set<string>();
  const stackTraceLimit = Error.stackTraceLimit;
  // Errors are part of most schedules, and their stacks of none.
  Error.stackTraceLimit = 0;
  let steps = 0;
  try {
    for (let run = 0; run < runs; run++) {
      const seed = firstSeed + run;
      const report = await simulate(scenarioOf(seed), { ...options, coverage });
      steps += report.steps;
      for (const one of report.seen) seen.add(one);
      if (report.violation) return { runs: run + 1, steps, states: coverage.size, seen, failure: await explain(seed, options) };
      if ((run + 1) % runsPerProgress === 0) onProgress?.({ runs: run + 1, steps, states: coverage.size });
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return { runs, steps, states: coverage.size, seen, failure: undefined };
}

async function explain(seed: number, options: SimulationOptions): Promise<CampaignReport['failure']> {
  const scenario = scenarioOf(seed);
  const { violation } = await simulate(scenario, options);
  if (!violation)
    return {
      seed,
      invariant: 'none',
      incidents: 0,
      history: `seed ${seed} fails once, and not again: the simulation is not deterministic`,
    };
  const smallest = await shrink({ scenario, violation }, options);
  const history = await historyOf(smallest, options);
  return { seed, invariant: violation.invariant, incidents: smallest.scenario.incidents.length, history };
}

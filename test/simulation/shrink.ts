import type { Violation } from './invariants.js';
import { type Incident, type Scenario, type SupervisorArrival, tell, type Verb } from './scenario.js';
import { type SimulationOptions, simulate } from './simulation.js';

export interface Failing {
  readonly scenario: Scenario;
  readonly violation: Violation;
}

/** How many orders of events a smaller scenario gets: with one incident less, the seed makes another order of the rest. */
const seedsEach = 25;
const stepLimit = 150_000;
/** Of a trace, so much is shown. */
const shownCalls = 60;

/**
 * The smallest scenario found that breaks the same invariant: without incidents that don't matter, and what remains made
 * plain. Not fast-check's own shrinking, since each candidate has to be tried in several orders of events.
 */
export async function shrink(failing: Failing, options: SimulationOptions = {}): Promise<Failing> {
  const search = new Search(failing, options);
  for (let before: Failing | undefined; before !== search.best; ) {
    before = search.best;
    for (const part of [8, 4, 2, 1]) await search.without(part);
    await search.plainer();
  }
  return search.best;
}

class Search {
  private steps = 0;

  constructor(
    public best: Failing,
    private readonly options: SimulationOptions,
  ) {}

  /** Leaves out so many incidents in a row, from each place on. */
  async without(length: number): Promise<void> {
    for (let from = this.best.scenario.incidents.length - length; from >= 0; from--) {
      const { incidents } = this.best.scenario;
      await this.tryWith({ incidents: incidents.filter((_, index) => index < from || index >= from + length) });
    }
  }

  async plainer(): Promise<void> {
    await this.tryWith({ world: {} });
    for (let index = 0; index < this.best.scenario.users.length; index++) {
      const users = this.best.scenario.users.map((user, at) => (at === index ? { embeds: false, uid: 1000, contained: false } : user));
      if (JSON.stringify(users) !== JSON.stringify(this.best.scenario.users)) await this.tryWith({ users });
    }
    for (let index = 0; index < this.best.scenario.incidents.length; index++) {
      for (const plainer of plainerForms(this.best.scenario.incidents[index] as Incident)) {
        await this.tryWith({ incidents: this.best.scenario.incidents.map((incident, at) => (at === index ? plainer : incident)) });
      }
    }
  }

  private async tryWith(change: Partial<Scenario>): Promise<void> {
    const { scenario, violation } = this.best;
    for (let offset = 0; offset < seedsEach && this.steps < stepLimit; offset++) {
      const candidate = { ...scenario, ...change, seed: scenario.seed + offset };
      const found = await simulate(candidate, this.options);
      this.steps += found.steps;
      if (found.violation?.invariant !== violation.invariant) continue;
      this.best = { scenario: candidate, violation: found.violation };
      return;
    }
  }
}

function plainerForms(incident: Incident): readonly Incident[] {
  if (incident.kind !== 'verb' && incident.kind !== 'supervisor' && incident.kind !== 'trouble') return [];
  const forms: Partial<Omit<Verb, 'kind'> & Omit<SupervisorArrival, 'kind'>>[] = [];
  if (incident.crash) forms.push({ crash: undefined });
  if (incident.stall) forms.push({ stall: undefined });
  if (incident.failure) forms.push({ failure: undefined });
  if (incident.kind === 'supervisor' && incident.leavesAfterMs !== undefined) forms.push({ leavesAfterMs: undefined });
  if (incident.kind !== 'verb') return forms.map((form) => ({ ...incident, ...form }) as Incident);
  if (incident.abortAfterMs !== undefined) forms.push({ abortAfterMs: undefined });
  if (incident.repeats) forms.push({ repeats: false });
  if (incident.program !== 'steady') forms.push({ program: 'steady' });
  if (incident.restart !== 'never') forms.push({ restart: 'never' });
  if (incident.version !== '1.0.0') forms.push({ version: '1.0.0' });
  return forms.map((form) => ({ ...incident, ...form }) as Incident);
}

/** What happened, for people: what was to happen, then the calls that were made, the last of them at the violation. */
export async function historyOf({ scenario, violation }: Failing, options: SimulationOptions = {}): Promise<string> {
  const calls: string[] = [];
  await simulate(scenario, { ...options, trace: (line) => calls.push(line) });
  const world = JSON.stringify(scenario.world);
  return [
    `${violation.message}`,
    `  incidents (machine ${world}, order ${scenario.seed}):`,
    ...scenario.incidents.map((incident) => `    ${tell(incident, scenario.users)}`),
    calls.length > shownCalls ? `  the last ${shownCalls} of ${calls.length} calls:` : '  calls:',
    ...calls.slice(-shownCalls).map((line) => `    ${line}`),
  ].join('\n');
}

import { afterAll, describe, expect, test } from 'vitest';
import { commandLineHealer, libraryHealer } from './aftermath.js';
import { describeFailure, formatTable, parseName } from './fault-report.js';
import { FaultSweep, type Outcome, pointsOf } from './fault-sweep.js';
import type { Call, Injector, Point } from './injector.js';
import { LoaderInjector } from './loader-injector.js';
import { type Scenario, scenarios } from './scenarios.js';
import { StraceInjector } from './strace-injector.js';

/** `npm run faults`: every point, which takes minutes; or the one that is named. */
const isComplete = process.env.FAULTS === 'all';
const wanted = process.env.FAULT_POINT ? parseName(process.env.FAULT_POINT) : undefined;

/** Beside other tests, a machine of two cores has no more to give. */
const lanes = isComplete ? 4 : 3;
/** How many points of a scenario strace gets where not all are tried. */
const samples = 20;
/**
 * A call that depends on how long something took may stay away. strace finds calls by how many came before, and how often
 * something is polled is chance: what it misses, the loader, which knows each call by its text, has tried.
 */
const mostMissed = (points: number, injector: Injector) => Math.max(3, points / (injector.name === 'strace' ? 8 : 50));

const outcomes: Outcome[] = [];
const recordings = new Map<string, Promise<readonly Call[]>>();

for (const injector of [new LoaderInjector(), new StraceInjector()]) {
  describe(`faults by ${injector.name}`, () => defineTests(injector));
}

function defineTests(injector: Injector): void {
  for (const scenario of scenarios.filter((one) => isWanted(injector, one))) {
    const sweep = new FaultSweep(injector, scenario, isComplete ? commandLineHealer : libraryHealer);
    const needs = injector.missing === undefined ? '' : ` (needs ${injector.missing})`;

    test.skipIf(injector.missing !== undefined)(
      `${scenario.name}: whatever fails, nothing is lost and nothing is left${needs}`,
      async () => {
        const points = await choosePoints(injector, scenario);
        const tried: Outcome[] = [];
        const queue = points.entries();
        const work = async () => {
          for (const [index, point] of queue) tried.push(await sweep.try(point, index % 2 === 0));
        };
        await Promise.all(Array.from({ length: lanes }, work));
        outcomes.push(...tried);

        expect(
          tried
            .filter(({ violations }) => violations.length > 0)
            .map(describeFailure)
            .join('\n\n'),
        ).toBe('');
        const missed = tried.filter(({ wasHit }) => !wasHit);
        expect(missed.length, missed.map(describeFailure).join('\n')).toBeLessThanOrEqual(mostMissed(points.length, injector));
        expect(tried.length - missed.length).toBeGreaterThan(0);
      },
    );
  }
}

afterAll(() => {
  if (outcomes.length > 0) console.log(`\nhow often each fault came up, and what it broke\n${formatTable(outcomes)}\n`);
});

function isWanted({ name, canHide }: Injector, scenario: Scenario): boolean {
  if (scenario.absent && !canHide) return false;
  if (wanted) return wanted.injector === name && wanted.scenario === scenario.name;
  return isComplete || name === 'loader' || (scenario.like === undefined && scenario.harmed === 'verb');
}

async function choosePoints(injector: Injector, scenario: Scenario): Promise<readonly Point[]> {
  const calls = await record(injector, scenario);
  if (wanted)
    return pointsOf(calls).filter(({ call, fault }) => call.text === wanted.text && call.nth === wanted.nth && fault === wanted.fault);
  const others = scenarios.filter(({ name }) => scenario.like?.includes(name));
  const known = new Set((await Promise.all(others.map((one) => record(injector, one)))).flat().map(({ text }) => text));
  // Killed everywhere; failing only where the others do not fail already.
  const points = pointsOf(calls).filter(({ call, fault }) => fault === 'SIGKILL' || !known.has(call.text));
  if (isComplete) return points;
  // Spread by a prime, since every so many-th point would have the same fault.
  if (injector.name === 'strace') return points.filter((_, index) => (index * 7_919) % points.length < samples);
  return points.filter(oneErrnoEach());
}

/** Each call is failed once, with each errno in turn. */
function oneErrnoEach(): (point: Point) => boolean {
  let turn = 0;
  const chosen = new Map<Call, Point>();
  return (point) => {
    if (point.fault === 'SIGKILL') return true;
    if (!chosen.has(point.call)) {
      const errnos = pointsOf([point.call]).filter(({ fault }) => fault !== 'SIGKILL');
      chosen.set(point.call, errnos[turn++ % errnos.length] as Point);
    }
    return chosen.get(point.call)?.fault === point.fault;
  };
}

function record(injector: Injector, scenario: Scenario): Promise<readonly Call[]> {
  const key = `${injector.name} ${scenario.name}`;
  const recording = recordings.get(key) ?? new FaultSweep(injector, scenario, libraryHealer).record();
  recordings.set(key, recording);
  return recording;
}

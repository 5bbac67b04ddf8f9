// What the suites use of vitest, in one program that runs on any Node: vitest itself does not run under Wine.
import { writeFileSync } from 'node:fs';
import { ASYMMETRIC_MATCHERS_OBJECT, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, setState } from '@vitest/expect';
import * as chai from 'chai';

export interface StandInResult {
  readonly title: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  readonly error?: string;
}

export interface StandInReport {
  readonly results: readonly StandInResult[];
  /** How many have not been run yet. */
  readonly left: number;
}

interface Planned {
  readonly title: string;
  readonly body: (() => unknown) | undefined;
}

const planned: Planned[] = [];
const afterwards: (() => unknown)[] = [];
const path: string[] = [];
const mostMs = 60_000;

export function describe(title: string, suite: () => void): void {
  path.push(title);
  suite();
  path.pop();
}

export const test = Object.assign((title: string, body: () => unknown) => plan(title, body), {
  skip: (title: string) => plan(title, undefined),
});

export const it = test;

export function afterAll(body: () => unknown): void {
  afterwards.push(body);
}

function plan(title: string, body: (() => unknown) | undefined): void {
  planned.push({ title: [...path, title].join(' > '), body });
}

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = Object.assign((value: unknown, message?: string) => chai.expect(value, message), chai.expect);
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true });
setState({ assertionCalls: 0 }, expect as never);
Object.assign(expect, (globalThis as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT]);

/** Runs what was planned, one after the other, and writes down after each what is known so far. */
export async function runPlanned(report: string): Promise<void> {
  const results: StandInResult[] = [];
  for (const { title, body } of planned) {
    const began = performance.now();
    const error = body ? await failureOf(body) : undefined;
    const outcome = body === undefined ? 'skipped' : error === undefined ? 'passed' : 'failed';
    results.push({ title, outcome, ms: Math.round(performance.now() - began), ...(error === undefined ? {} : { error }) });
    writeFileSync(report, JSON.stringify({ results, left: planned.length - results.length } satisfies StandInReport));
  }
  for (const body of afterwards) await body();
  process.exit(results.some(({ outcome }) => outcome === 'failed') ? 1 : 0);
}

async function failureOf(body: () => unknown): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${mostMs} ms`)), mostMs);
  });
  try {
    await Promise.race([body(), late]);
    return undefined;
  } catch (error) {
    const { stack, diff, cause } = error as Error & { diff?: string };
    return [stack, diff, cause && `cause: ${cause}`].filter(Boolean).join('\n');
  } finally {
    clearTimeout(timer);
  }
}

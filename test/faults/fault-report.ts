import { faults } from './fault.js';
import type { Outcome } from './fault-sweep.js';
import type { Point } from './injector.js';

/** Where a fault comes up, in one line that the command line takes back. */
export function nameOf(injector: string, scenario: string, { call, fault }: Point): string {
  return `${injector} ${scenario} ${fault} ${call.nth} ${call.text}`;
}

export function parseName(name: string): { injector: string; scenario: string; fault: string; nth: number; text: string } {
  const [, injector = '', scenario = '', fault = '', nth = '', text = ''] = /^(\S+) (\S+) (\S+) (\d+) (.+)$/.exec(name) ?? [];
  return { injector, scenario, fault, nth: Number(nth), text };
}

/** What went wrong, where, and how to see it again. */
export function describeFailure({ injector, scenario, point, violations }: Outcome): string {
  const { call, fault } = point;
  const where = `${scenario}: ${fault} at ${call.text}, number ${call.nth} of its like, by ${injector}`;
  return [where, ...violations.map((one) => `  ${one}`), `  again: npm run faults -- '${nameOf(injector, scenario, point)}'`].join('\n');
}

/** One row for each scenario: how often each fault came up there, and how often something was broken afterwards. */
export function formatTable(outcomes: readonly Outcome[]): string {
  const rows = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const key = `${outcome.injector} ${outcome.scenario}`;
    rows.set(key, [...(rows.get(key) ?? []), outcome]);
  }
  const cells = [...rows].map(([key, row]) => [key, ...figures(row)]);
  const table = [['', ...faults, 'hit', 'missed', 'violations'], ...cells, ['all', ...figures(outcomes)]];
  const widths = (table[0] as string[]).map((_, column) => Math.max(...table.map((row) => (row[column] as string).length)));
  return table
    .map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number))).join('  '),
    )
    .join('\n');
}

function figures(outcomes: readonly Outcome[]): readonly string[] {
  const hit = outcomes.filter(({ wasHit }) => wasHit);
  const perFault = faults.map((fault) => hit.filter(({ point }) => point.fault === fault).length);
  const broken = outcomes.filter(({ violations }) => violations.length > 0);
  return [...perFault, hit.length, outcomes.length - hit.length, broken.length].map(String);
}

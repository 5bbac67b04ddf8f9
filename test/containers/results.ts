import { nodeVersionOf, type Row } from './rows.js';

/** What the last run found of one row. */
export interface RowResult {
  readonly row: string;
  readonly node: string;
  /** `passed`, `failed`, or `skipped: ` and why. */
  readonly result: string;
  /** Of all tests in it and around it. */
  readonly passed: number;
  readonly skipped: number;
  /** What the skipped ones would have needed, as far as they say. */
  readonly lacks?: readonly string[];
  readonly seconds: number;
}

/** How one test of a row ended. */
export interface RowTest {
  readonly row: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly why: string | undefined;
  readonly seconds: number;
  /** The tests inside its container, where it runs any. */
  readonly inner: { readonly passed: number; readonly skipped: number; readonly lacks?: readonly string[] } | undefined;
}

/** One run of all rows, and what it had to do first. */
export interface RunResult {
  readonly seconds: number;
  readonly preparedSeconds: number;
  readonly imagesBuilt: number;
  readonly rows: readonly RowResult[];
}

/** The rows that had any test in this run. */
export function summarize(rows: readonly Row[], tests: readonly RowTest[]): readonly RowResult[] {
  const tried = rows.filter((row) => tests.some((test) => test.row === row.name));
  return tried.map((row) => {
    const own = tests.filter((test) => test.row === row.name);
    const of = (state: RowTest['state']) => own.filter((test) => test.state === state);
    const sum = (numberOf: (test: RowTest) => number) => own.reduce((total, test) => total + numberOf(test), 0);
    return {
      row: row.name,
      node: nodeVersionOf(row),
      result: of('failed').length > 0 ? 'failed' : of('passed').length > 0 ? 'passed' : `skipped: ${of('skipped')[0]?.why}`,
      passed: sum((test) => test.inner?.passed ?? Number(test.state === 'passed')),
      skipped: sum((test) => test.inner?.skipped ?? Number(test.state === 'skipped')),
      lacks: [...new Set(own.flatMap(({ inner, why }) => inner?.lacks ?? why ?? []))].sort(),
      seconds: Math.round(sum((test) => test.seconds)),
    };
  });
}

/** The table of the README. */
export function compatibilityTable(results: readonly RowResult[]): string {
  const lines = results.map(({ row, node, result, passed, skipped, lacks = [], seconds }) => {
    const why = lacks.length > 0 ? `: ${lacks.join(', ')}` : '';
    const tests = result.startsWith('skipped') ? '' : `${passed}${skipped > 0 ? `, ${skipped} skipped${why}` : ''}`;
    return `| ${row} | ${node} | ${result.replaceAll('|', '/')} | ${tests} | ${seconds} |`;
  });
  return ['| row | Node | result | tests passed | seconds |', '|---|---|---|---|---|', ...lines].join('\n');
}

/** What the last two runs took, the older one first. */
export function durations(runs: readonly RunResult[]): string {
  const said = runs.map(
    ({ seconds, preparedSeconds, imagesBuilt }) => `${seconds} s, ${preparedSeconds} of them to prepare (${imagesBuilt} images made)`,
  );
  return `The last ${said.length === 1 ? 'run' : 'two runs, one after the other,'} took ${said.join(', and ')}.`;
}

/** The table of docker/README.md. */
export function riskTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const pid1 = row.system === 'systemd' ? 'systemd' : row.reaps ? 'reaps' : 'does not reap';
    return `| ${row.name} | ${row.system}, ${row.suite} | ${row.node} | ${pid1} | ${row.user} | ${row.part} | ${row.risk} |`;
  });
  return ['| row | system | Node | pid 1 | user | runs | daemonry breaks where |', '|---|---|---|---|---|---|---|', ...lines].join('\n');
}

const marker = (name: string, end: boolean) => `<!-- ${end ? '/' : ''}${name}, generated -->`;

/** The text between two markers, or `undefined` where they are missing. */
export function generatedPart(text: string, name: string): string | undefined {
  const [begin, end] = [marker(name, false), marker(name, true)];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  return from < 0 || to < from ? undefined : text.slice(from + begin.length, to).trim();
}

export function withGeneratedPart(text: string, name: string, part: string): string {
  const old = generatedPart(text, name);
  if (old === undefined) throw new Error(`there are no markers of ${name}`);
  const begin = marker(name, false);
  const end = marker(name, true);
  return `${text.slice(0, text.indexOf(begin))}${begin}\n${part}\n${text.slice(text.indexOf(end))}`;
}

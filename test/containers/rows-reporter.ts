import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import { projectRoot } from '../support/suite.js';
import type { Prepared } from './prepare.js';
import { compatibilityTable, durations, type RowTest, type RunResult, riskTable, summarize, withGeneratedPart } from './results.js';
import { rows } from './rows.js';

const file = join(projectRoot, '.reports', 'rows.json');

/** Prints how each row ended, keeps it for the next time, and writes it into the documents when it is asked to. */
export default class RowsReporter implements Reporter {
  private began = 0;

  onTestRunStart(): void {
    this.began = performance.now();
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) =>
      module.project.name === 'containers' ? [...module.children.allTests()].flatMap(rowTestOf) : [],
    );
    if (tests.length === 0) return;
    const prepared = modules.find((module) => module.project.name === 'containers')?.project.getProvidedContext().prepared;
    const run = this.resultOf(tests, prepared);
    // Nothing was tried, as was said already.
    if (run.rows.every(({ result }) => result.startsWith('skipped'))) return;
    console.log(`\n${compatibilityTable(run.rows)}\n`);
    // What was only tried in part says nothing about the whole.
    if (run.rows.length < rows.length) return;
    const runs = [...keptRuns().slice(-1), run];
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, `${JSON.stringify(runs, undefined, 2)}\n`);
    if (process.env.DAEMONRY_UPDATE_README === '1') updateDocuments(runs);
  }

  private resultOf(tests: readonly RowTest[], prepared: Prepared | undefined): RunResult {
    return {
      seconds: Math.round((performance.now() - this.began) / 1_000),
      preparedSeconds: prepared?.seconds ?? 0,
      imagesBuilt: prepared?.imagesBuilt ?? 0,
      rows: summarize(rows, tests),
    };
  }
}

/** A row's tests stand in a suite of its name. */
function rowTestOf(test: TestCase): readonly RowTest[] {
  const { state, ...result } = test.result();
  const why = 'note' in result ? result.note : undefined;
  // Skipped without a reason: it was not chosen.
  if (test.parent.type !== 'suite' || (state === 'skipped' && why === undefined)) return [];
  return [
    {
      row: test.parent.name,
      // A test that never came to an end, since the run was broken off, did not pass.
      state: state === 'pending' ? 'failed' : state,
      why,
      seconds: (test.diagnostic()?.duration ?? 0) / 1_000,
      inner: test.meta().inner,
    },
  ];
}

function keptRuns(): readonly RunResult[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}

function updateDocuments(runs: readonly RunResult[]): void {
  const last = runs.at(-1);
  if (last) update('README.md', 'rows', `${compatibilityTable(last.rows)}\n\n${durations(runs)}`);
  update('docker/README.md', 'rows', riskTable(rows));
}

function update(path: string, part: string, text: string): void {
  const document = join(projectRoot, path);
  writeFileSync(document, withGeneratedPart(readFileSync(document, 'utf8'), part, text));
}

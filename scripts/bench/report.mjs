// One run's report: Markdown, all samples as JSON, and a chart for each table.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart } from './chart.mjs';
import { promises } from './table.mjs';

export function markdown({ machine, load, peers, missing, rounds, tables, command }, charts) {
  const { date, daemonry, node, system, cores, model, memoryGb } = machine;
  const verdicts = tables.flatMap((table) => table.verdicts());
  return [
    '# What daemonry costs, beside the peers, in one run',
    '',
    `${date} UTC, daemonry ${daemonry}, Node ${node}, ${system}, ${cores} × ${model}, ${memoryGb} GB; load ${load.before.join(' ')} before, ${load.after.join(' ')} after.`,
    '',
    `Written by \`${command}\`, all in interleaved rounds (${rounds}). In the same run: ${peers.join('; ') || 'no peer'}. Not installed: ${missing.join(', ') || 'none'}. Ratios mean more than milliseconds: machines differ, and so do their hours.`,
    '',
    ...(verdicts.length === 0
      ? []
      : [
          `Medians decide. Beside them stands the ratio of the smallest times, of which other work on the machine has taken least. *${promises}*: what a Node program of 150 lines takes in the same rounds that does nothing but what can't be left out to keep daemonry's promises: a lock that the kernel frees, a log, a record before the command runs and a gate that holds it back, readiness seen, all of it on disk; to stop, a look at who it is, a wait for its end and a search for what it left; of a log, each piece on disk in a file of its own before it is taken out (\`scripts/bench/promises.cjs\`). An aim below that can't be had without breaking one of them.`,
          '',
          `| what | aim | measured | | smallest | ${promises} |`,
          '|---|---|---|---|---|---|',
          ...verdicts.map(
            ({ what, aim, shown, atBest, met, floor }) =>
              `| ${what} | ${aim} | ${shown} | ${met ? 'met' : '**missed**'} | ${atBest} | ${floor} |`,
          ),
          '',
        ]),
    ...tables.flatMap((table) => [...table.markdown(), ...(charts ? [`![${table.title}](${table.id}.svg)`, ''] : [])]),
  ].join('\n');
}

export function writeReport(folder, report) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'README.md'), markdown(report, true));
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(report)}\n`);
  for (const table of report.tables) writeFileSync(join(folder, `${table.id}.svg`), chart(table));
}

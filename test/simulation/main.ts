import { parseArgs } from 'node:util';
import { campaign } from './campaign.js';

/** `npm run sim -- --runs N [--seed S]`: plays N seeds from S on; exit 1 and a history at the first violation, 2 on wrong usage. */
async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { runs: { type: 'string' }, seed: { type: 'string' } } });
  const runs = wholeNumber('--runs', values.runs ?? '10000');
  const seed = wholeNumber('--seed', values.seed ?? '1');
  const began = process.cpuUsage();
  const report = await campaign({
    firstSeed: seed,
    runs: values.seed !== undefined && values.runs === undefined ? 1 : runs,
    onProgress: (progress) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${line(progress)} `);
      else if (progress.runs % 50_000 === 0) console.error(line(progress));
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\n');
  console.log(line(report));
  if (!report.failure) {
    console.log('no violation');
    return 0;
  }
  const { seed: failed, history } = report.failure;
  console.log(`\nseed ${failed} breaks an invariant; \`npm run sim -- --seed ${failed}\` brings it back. Made small:\n\n${history}`);
  return 1;

  function line({ runs, steps, states }: { runs: number; steps: number; states: number }): string {
    const seconds = process.cpuUsage(began).user / 1e6 + process.cpuUsage(began).system / 1e6;
    const wholeSpeed = Math.round(runs / Math.max(seconds, 0.001));
    return `${runs} schedules, ${wholeSpeed} for each second of a core, ${Math.round(steps / runs)} steps each, ${states} distinct states`;
  }
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`${option} takes a whole number above zero, not '${text}'`);
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(`sim: ${error.message.split('\n')[0]}`);
    process.exitCode = 2;
  },
);

// All benches, or those that are named: one run, one report. See CONTRIBUTING.md.
// Usage: npm run bench [-- [PART…] [--rounds N] [--bin FOLDER] [--node PATH] [--without PEER] [--write] …]; npm run bench:PART is the same.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { load, machine } from './bench/machine.mjs';
import { peersIn, startersIn } from './bench/peers.mjs';
import { markdown, writeReport } from './bench/report.mjs';
import { projectRoot } from './bench/stage.mjs';

const parts = ['cli', 'library', 'race', 'supervise', 'scale', 'logs'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '11' },
    // Of what takes long: a peer that waits a second after each crash, hundreds of daemons.
    'slow-rounds': { type: 'string', default: '3' },
    'race-rounds': { type: 'string', default: '2' },
    'scale-rounds': { type: 'string', default: '2' },
    counts: { type: 'string', default: '1,10,100,500,1000' },
    'peers-up-to': { type: 'string', default: '500' },
    megabytes: { type: 'string', default: '200' },
    bin: { type: 'string', multiple: true, default: [] },
    node: { type: 'string', multiple: true, default: [] },
    without: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    /** Into docs/benchmarks, with charts. */
    write: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((part) => !parts.includes(part));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${parts.join(', ')}`);
  process.exit(2);
}
// It alone costs 60 ms a start of Node.
delete process.env.NODE_EXTRA_CA_CERTS;

const isWanted = ({ name }) => !values.without.includes(name);
const [managers, starters] = [peersIn(values.bin).filter(isWanted), startersIn().filter(isWanted)];
const isInstalled = (peer) => Boolean(peer.find());
const context = {
  rounds: Number(values.rounds),
  slowRounds: Number(values['slow-rounds']),
  raceRounds: Number(values['race-rounds']),
  scaleRounds: Number(values['scale-rounds']),
  counts: values.counts.split(',').map(Number),
  peersUpTo: Number(values['peers-up-to']),
  megabytes: Number(values.megabytes),
  bin: values.bin,
  without: values.without,
  nodes: values.node,
  peers: managers.filter(isInstalled),
  starters: starters.filter(isInstalled),
};

const before = load();
const tables = [];
const missing = [...managers, ...starters].filter((peer) => !isInstalled(peer)).map(({ name }) => name);
const found = [...context.peers, ...context.starters].map((peer) => peer.find());
for (const part of positionals.length > 0 ? positionals : parts) {
  const { measure } = await import(`./bench/parts/${part}.mjs`);
  const outcome = await measure(context);
  tables.push(...(outcome.tables ?? outcome));
  found.push(...(outcome.peers ?? []));
  missing.push(...(outcome.missing ?? []));
}
// Paths of one machine mean nothing on another.
const options = process.argv.slice(2).filter((word) => word !== '--');
const report = {
  machine: machine(),
  load: { before, after: load() },
  peers: [...new Set(found)],
  missing: [...new Set(missing)],
  rounds: `${context.rounds}, of what takes long ${context.slowRounds}, of races ${context.raceRounds}, of many daemons ${context.scaleRounds}`,
  command: ['npm run bench', ...(options.length > 0 ? ['--', ...options.map((word) => (word.includes('/') ? '<path>' : word))] : [])].join(
    ' ',
  ),
  tables,
};
console.log(markdown(report, false));
if (values.json) writeFileSync(values.json, `${JSON.stringify(report)}\n`);
if (values.write) writeReport(join(projectRoot, 'docs', 'benchmarks'), report);

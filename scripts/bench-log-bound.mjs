// What it costs a supervised daemon that its log is bounded while it writes, and how far the log exceeds its bound: numbered lines
// into a file by redirection, and from a daemon under the supervisor of the built command line. Interleaved rounds on one machine,
// medians and their ratio. Of the lines that are kept, none may be lost, torn or doubled.
// Usage: npm run bench:log-bound [-- --rounds N] [--megabytes N] [--max-size MB] [--keep N] [--batch BYTES] [--rate MB] [--folder DIR]
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    megabytes: { type: 'string', default: '200' },
    'max-size': { type: 'string', default: '10' },
    keep: { type: 'string', default: '5' },
    batch: { type: 'string', default: '4096' },
    // How many megabytes a second are written; 0: as many as can be.
    rate: { type: 'string', default: '0' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const megabyte = 1024 * 1024;
const lineBytes = 100;
const lines = Math.floor((Number(values.megabytes) * megabyte) / lineBytes);
const bound = Number(values['max-size']) * megabyte * (Number(values.keep) + 1);
const folder = mkdtempSync(join(values.folder, 'daemonry-bench-'));
const env = { ...process.env, DAEMONRY_HOME: join(folder, 'home') };
delete env.NODE_EXTRA_CA_CERTS;

// Says how long it took when all of it is written, and stays: a daemon that ends is another matter.
const writer = `
const { writeFileSync, writeSync } = require('node:fs');
const [, told, stays] = process.argv;
const padding = 'x'.repeat(${lineBytes});
const pause = new Int32Array(new SharedArrayBuffer(4));
const perMs = ${Number(values.rate)} * ${megabyte} / 1000;
const began = process.hrtime.bigint();
const elapsedMs = () => Number(process.hrtime.bigint() - began) / 1e6;
let [text, written] = ['', 0];
for (let number = 0; number < ${lines}; number++) {
  const head = number + ' ';
  text += head + padding.slice(head.length + 1) + '\\n';
  if (text.length < ${Number(values.batch)} && number < ${lines} - 1) continue;
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
  written += bytes.length;
  text = '';
  if (perMs > 0) for (let ahead; (ahead = written / perMs - elapsedMs()) > 1; ) Atomics.wait(pause, 0, 0, ahead);
}
writeFileSync(told + '.part', String(elapsedMs()));
require('node:fs').renameSync(told + '.part', told);
if (stays) setInterval(() => {}, 1000);`;

async function direct(round) {
  const [log, told] = [join(folder, 'direct.log'), join(folder, `told-direct-${round}`)];
  const out = openSync(log, 'a', 0o600);
  const child = spawn(process.execPath, ['-e', writer, told], { stdio: ['ignore', out, 'inherit'], env });
  closeSync(out);
  await new Promise((resolve) => child.once('exit', resolve));
  rmSync(log);
  return Number(readFileSync(told, 'utf8'));
}

async function supervised(round) {
  const [name, told] = [`spew-${round}`, join(folder, `told-${round}`)];
  const options = ['--restart', 'always', '--log-max-size', `${values['max-size']}MB`, '--log-keep', values.keep];
  daemonry('start', name, ...options, '--', process.execPath, '-e', writer, told, 'stays');
  const log = join(env.DAEMONRY_HOME, name, 'daemon.log');
  let [most, mostLive] = [0, 0];
  const look = async (isOver) => {
    for (let looks = 0; looks < 30_000 && !isOver(); looks++) {
      most = Math.max(most, bytesOf(log));
      mostLive = Math.max(mostLive, sizeOf(log));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await look(() => existsSync(told));
  const over = Date.now();
  await look(() => sizeOf(log) < Number(values['max-size']) * megabyte && !existsSync(`${log}.next`));
  const settledMs = Date.now() - over;
  const end = { ms: Number(readFileSync(told, 'utf8')), most, mostLive, settledMs, keptBytes: bytesOf(log), ...faultsOf(log) };
  daemonry('stop', name);
  rmSync(dirname(log), { recursive: true });
  return end;
}

function daemonry(...args) {
  const end = spawnSync(process.execPath, ['--', join(root, 'bin', 'daemonry.cjs'), ...args], { env, encoding: 'utf8' });
  if (end.status !== 0) throw new Error(`daemonry ${args[0]}: ${end.stderr}`);
}

function sizeOf(file) {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** On disk, holes apart. */
function bytesOf(log) {
  const own = readdirSync(dirname(log)).filter((file) => /^daemon\.log(\.\d+|\.next)?$/.test(file));
  return own.reduce((sum, file) => sum + (statSync(join(dirname(log), file), { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0);
}

/** Of what is kept: the last lines, each once, in their order. */
function faultsOf(log) {
  const files = [log];
  while (existsSync(`${log}.${files.length}`)) files.push(`${log}.${files.length}`);
  const all = files
    .reverse()
    .map((file) => readFileSync(file, 'latin1'))
    .join('')
    .split('\n');
  const state = JSON.parse(existsSync(`${log}.base`) ? readFileSync(`${log}.base`, 'utf8') : '{"torn":[],"base":0,"begin":0}');
  // The rest of a line whose beginning has gone is none.
  if (all[0] !== '' && !/^\d+ x+$/.test(all[0] ?? '')) all.shift();
  else if (state.torn.length > 0 && all[0]?.length !== lineBytes - 1) all.shift();
  let [faults, expected] = [all.pop() === '' ? 0 : 1, lines - all.length];
  for (const line of all) {
    const found = /^(\d+) x*$/.exec(line);
    if (!found || line.length !== lineBytes - 1 || Number(found[1]) !== expected) faults++;
    expected++;
  }
  return { faults, kept: all.length };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const inMB = (bytes) => `${(bytes / megabyte).toFixed(1)} MB`;

try {
  const times = { direct: [], supervised: [] };
  const ends = [];
  // The first round warms up.
  for (let round = -1; round < Number(values.rounds); round++) {
    const run = { direct: async () => direct(round), supervised: async () => supervised(round) };
    const results = {};
    for (const kind of round % 2 === 0 ? ['direct', 'supervised'] : ['supervised', 'direct']) results[kind] = await run[kind]();
    if (round < 0) continue;
    times.direct.push(results.direct);
    times.supervised.push(results.supervised.ms);
    ends.push(results.supervised);
  }
  const rate = Number(values.rate) > 0 ? `${values.rate} MB a second` : 'as fast as can be';
  console.log(
    `${values.megabytes} MB in ${lines} lines, ${values.batch} bytes a write, ${rate}, at most ${values['max-size']} MB and ${values.keep} kept, Node ${process.version}, medians of ${values.rounds} interleaved rounds`,
  );
  for (const [kind, list] of Object.entries(times))
    console.log(`${kind.padEnd(10)} ${median(list).toFixed(0).padStart(6)} ms  (${list.map((ms) => ms.toFixed(0)).join(' ')})`);
  console.log(`ratio      ${(median(times.supervised) / median(times.direct)).toFixed(2)} x (aim: at most 1.20)`);
  const most = ends.map((end) => end.most);
  console.log(
    `most on disk ${inMB(median(most))} (${most.map(inMB).join(', ')}) of a bound of ${inMB(bound)}; the current file at most ${inMB(Math.max(...ends.map((end) => end.mostLive)))}`,
  );
  console.log(
    `after the last line, ${median(ends.map((end) => end.settledMs))} ms until it was within its bound, ${inMB(median(ends.map((end) => end.keptBytes)))} kept`,
  );
  const faults = ends.reduce((sum, end) => sum + end.faults, 0);
  console.log(`lines lost, torn or doubled among those kept: ${faults} of ${ends.reduce((sum, end) => sum + end.kept, 0)}`);
  if (faults > 0) process.exitCode = 1;
} finally {
  spawnSync(process.execPath, ['--', join(root, 'bin', 'daemonry.cjs'), 'stop', '--all'], { env });
  spawnSync(process.execPath, ['--', join(root, 'bin', 'daemonry.cjs'), 'stop', 'supervisor'], { env });
  rmSync(folder, { recursive: true, force: true });
}

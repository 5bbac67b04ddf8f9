// What supervising costs, beside a minimal Node manager and beside the peers that are installed: crash to new pid, many
// daemons started and listed, and the memory of what is resident. Interleaved rounds in one run; medians, and ratios to
// the minimal manager of the same rounds. Markdown on stdout, and with --json FILE all samples.
// Usage: npm run bench:supervise [-- --rounds N] [--scale-rounds N] [--counts 1,100,500] [--bin FOLDER] [--json FILE] [--without NAME]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { daemonry, minimalManager, plainEnvironment } from './supervise-bench/managers.mjs';
import { peersIn } from './supervise-bench/peers.mjs';
import { livingInside, memoryOf, untilDead, waitFor } from './supervise-bench/processes.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    'scale-rounds': { type: 'string', default: '3' },
    counts: { type: 'string', default: '1,100,500' },
    bin: { type: 'string', multiple: true, default: [] },
    without: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
/** The peers that wait a second after each crash would take all the time. */
const peerRounds = Math.min(rounds, 3);
const scaleRounds = Number(values['scale-rounds']);
const counts = values.counts.split(',').map(Number);
const crashesInARow = 6;
/** Long enough for whatever a manager does after a restart to be over. */
const settleMs = 150;

const peers = peersIn(values.bin).filter(({ name }) => !values.without.includes(name));
const installed = peers.filter((peer) => peer.find());
const root = join(tmpdir(), 'daemonry-bench-');
/** What was measured: by metric, by manager. */
const samples = new Map();
let opened = 0;

function add(metric, manager, value) {
  const byManager = samples.get(metric) ?? new Map();
  samples.set(metric, byManager.set(manager, [...(byManager.get(manager) ?? []), value]));
}

/** Opens a manager in a folder of its own, and sees to it that nothing of it is left. */
async function withManager(adapter, programs, work) {
  const folder = realpathSync(mkdtempSync(`${root}${opened++}-`));
  let open;
  try {
    open = await adapter.open(folder, programs(folder));
    return await work(open, folder);
  } finally {
    await open?.close();
    for (const pid of livingInside(folder)) {
      process.kill(pid, 'SIGKILL');
      await untilDead(pid);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A shell that says who it is and when, to the microsecond, as soon as it can. */
function witness(folder) {
  return [{ name: 'witness', command: ['/bin/bash', '-c', `echo $$ $EPOCHREALTIME >>${join(folder, 'pids')}; exec sleep 1000`] }];
}

function crashes(adapter, label) {
  return withManager(adapter, witness, async (_, folder) => {
    const runs = () => readLines(join(folder, 'pids'));
    await waitFor('its first run', () => runs().length === 1);
    for (let crash = 1; crash <= crashesInARow; crash++) {
      await sleep(settleMs);
      const [pid] = runs().at(-1);
      const atMs = killOnTheDot(pid);
      const [, startedSeconds] = await waitFor('the next run', () => runs()[crash]);
      if (crash === 1 || crash === crashesInARow) add(`crash ${crash}`, label, startedSeconds * 1_000 - atMs);
    }
  });
}

/** Waits for the wall clock's next millisecond, since Node does not tell its fractions; returns when that was. */
function killOnTheDot(pid) {
  const before = Date.now();
  let now = before;
  while (now === before) now = Date.now();
  process.kill(pid, 'SIGKILL');
  return now;
}

function readLines(path) {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.slice(0, -1).map((line) => line.split(' ').map(Number));
  } catch {
    return [];
  }
}

function manySleepers(count) {
  return () => Array.from({ length: count }, (_, index) => ({ name: `sleeper-${index}`, command: ['/bin/sleep', '1000'] }));
}

async function scale(adapter, label, count) {
  await withManager(adapter, manySleepers(count), async (open) => {
    add(`start ${count}`, label, open.startMs);
    // Until it does not get less any more: what a manager needs while it starts is not what it keeps.
    let memory = memoryOf(open.pids());
    for (let calm = 0; calm < 4; ) {
      await sleep(settleMs * 2);
      const next = memoryOf(open.pids());
      calm = next.pssKb < memory.pssKb ? 0 : calm + 1;
      memory = next;
    }
    add(`memory ${count}`, label, memory.pssKb / 1_024);
    add(`whole memory ${count}`, label, memory.rssKb / 1_024);
    add(`private memory ${count}`, label, memory.privateKb / 1_024);
    if (!open.list) return;
    open.list();
    for (let time = 0; time < 3; time++) {
      add(
        `list ${count}`,
        'node -e 0',
        timeOf(() => spawnSync(process.execPath, ['-e', '0'], { env: plainEnvironment() })),
      );
      add(
        `list ${count}`,
        label,
        timeOf(() => open.list()),
      );
    }
  });
}

function timeOf(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

const atOnce = daemonry('at once');
const oneByOne = daemonry('one by one');
const usualDelays = daemonry('at once', { restartDelayMs: undefined });
const ours = 'daemonry';
const floor = minimalManager.name;

async function measure() {
  for (let round = 0; round <= rounds; round++) {
    // The first warms up.
    if (round === 1) samples.clear();
    console.error(`crashes, round ${round} of ${rounds}`);
    await crashes(minimalManager, floor);
    await crashes(atOnce, ours);
    if (round > peerRounds || round === 0) continue;
    await crashes(usualDelays, `${ours}, default delays`);
    for (const peer of installed) await crashes(peer, peer.name);
  }
  for (let round = 1; round <= scaleRounds; round++) {
    for (const count of counts) {
      console.error(`${count} daemons, round ${round} of ${scaleRounds}`);
      await scale(minimalManager, floor, count);
      await scale(atOnce, ours, count);
      await scale(oneByOne, `${ours}, one by one`, count);
      for (const peer of installed) await scale(peer, peer.name, count);
    }
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const round1 = (value) => (value < 100 ? value.toFixed(1) : value.toFixed(0));

/** Lines of one table: a metric each, a manager each. */
function table(title, unit, metrics, base, aim) {
  const managers = [...new Set(metrics.flatMap(([metric]) => [...(samples.get(metric)?.keys() ?? [])]))];
  const cell = (metric, manager) => {
    const list = samples.get(metric)?.get(manager);
    if (!list) return '';
    const of = samples.get(metric).get(base);
    const spread = `${round1(Math.min(...list))}–${round1(Math.max(...list))}`;
    return `${round1(median(list))} (${spread})${manager === base || !of ? '' : ` = ${(median(list) / median(of)).toFixed(2)} ×`}`;
  };
  return [
    `## ${title}`,
    '',
    `Medians in ${unit}, smallest and largest in brackets, × ${base}.${aim ? ` Aim: ${aim}.` : ''}`,
    '',
    `| | ${metrics.map(([, label]) => label).join(' | ')} |`,
    `|---|${metrics.map(() => '---').join('|')}|`,
    ...managers.map((manager) => `| ${manager} | ${metrics.map(([metric]) => cell(metric, manager)).join(' | ')} |`),
    '',
  ];
}

function report(loadBefore) {
  const { version } = JSON.parse(readFileSync(join(dirname(fileURLToPath(import.meta.url)), '..', 'package.json'), 'utf8'));
  const missing = peers.filter((peer) => !installed.includes(peer)).map(({ name }) => name);
  const load = (list) => list.map((value) => value.toFixed(1)).join(' ');
  return [
    `# daemonry ${version}: what supervising costs`,
    '',
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, Linux ${release()}, ${availableParallelism()} × ${cpus()[0]?.model}; load ${load(loadBefore)} before, ${load(loadavg())} after.`,
    '',
    `${rounds} interleaved rounds (${peerRounds} of peers, ${scaleRounds} of many daemons). In the same run: ${['', ...installed.map((peer) => peer.find())].slice(1).join('; ') || 'no peer'}. Not installed: ${missing.join(', ') || 'none'}.`,
    '',
    ...table(
      'From kill -9 to the new process',
      'milliseconds',
      [
        ['crash 1', 'the first'],
        [`crash ${crashesInARow}`, `the sixth in a row`],
      ],
      floor,
      'at most 1.5 ×, without delays',
    ),
    ...table(
      'Starting many',
      'milliseconds',
      counts.map((count) => [`start ${count}`, `${count}`]),
      floor,
      'at most 2 × at 500; the manager is up already, except for s6 and runit',
    ),
    ...table(
      'Listing them',
      'milliseconds',
      counts.map((count) => [`list ${count}`, `${count}`]),
      'node -e 0',
      'at most 2 ×',
    ),
    ...table(
      'Resident memory (PSS)',
      'MiB',
      counts.map((count) => [`memory ${count}`, `${count}`]),
      floor,
      'at most 1.3 × at 500',
    ),
    ...table(
      'The same where no other Node runs (RSS)',
      'MiB',
      counts.map((count) => [`whole memory ${count}`, `${count}`]),
      floor,
      'the same, where nobody shares its pages',
    ),
    ...table(
      'Of it, what is shared with nobody',
      'MiB',
      counts.map((count) => [`private memory ${count}`, `${count}`]),
      floor,
    ),
  ].join('\n');
}

const loadBefore = loadavg();
await measure();
console.log(report(loadBefore));
if (values.json) {
  const plain = Object.fromEntries([...samples].map(([metric, byManager]) => [metric, Object.fromEntries(byManager)]));
  const about = { date: new Date().toISOString(), node: process.versions.node, rounds, peers: installed.map((peer) => peer.find()) };
  writeFileSync(values.json, `${JSON.stringify({ ...about, load: { before: loadBefore, after: loadavg() }, samples: plain }, null, 1)}\n`);
}

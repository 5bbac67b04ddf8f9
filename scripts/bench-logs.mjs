// What rotation costs the daemon that writes: 200 MB of numbered lines into a file, and into a log that another process rotates
// meanwhile as a supervisor does. Interleaved rounds on one machine, medians and their ratio; every line is looked for afterwards.
// Usage: npm run bench:logs [-- --rounds N] [--megabytes N] [--max-size MB] [--batch BYTES] [--poll MS] [--folder DIR]
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    megabytes: { type: 'string', default: '200' },
    'max-size': { type: 'string', default: '10' },
    // How much the writer hands over at a time: 100 is each line by itself.
    batch: { type: 'string', default: '4096' },
    poll: { type: 'string', default: '50' },
    folder: { type: 'string', default: tmpdir() },
  },
});
const megabyte = 1024 * 1024;
const lineBytes = 100;
const lines = Math.floor((Number(values.megabytes) * megabyte) / lineBytes);
const folder = mkdtempSync(join(values.folder, 'daemonry-bench-'));
delete process.env.NODE_EXTRA_CA_CERTS;

const writer = `
const { writeSync } = require('node:fs');
const padding = 'x'.repeat(${lineBytes});
let text = '';
for (let number = 0; number < ${lines}; number++) {
  const head = number + ' ';
  text += head + padding.slice(head.length + 1) + '\\n';
  if (text.length < ${Number(values.batch)} && number < ${lines} - 1) continue;
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
  text = '';
}`;

const rotator = `
import { FileLogStore } from './src/adapters/files/file-log-store.ts';
import { Fallocate } from './src/adapters/linux/fallocate.ts';
const [log] = process.argv.slice(2);
const held = { ref: { name: 'bench' }, release() {} };
const store = new FileLogStore({ place: () => ({ log }) }, new Fallocate(process.env));
const target = { ref: held.ref, file: null, maxBytes: ${Number(values['max-size']) * megabyte}, keep: 100_000 };
let isOver = false;
process.stdin.on('end', () => { isOver = true; }).resume();
process.stdout.write('ready');
let outcome = 'fits';
while (!isOver) {
  if (store.noteTime(log) >= target.maxBytes) outcome = await store.rotate(held, target);
  if (outcome === 'unsupported') throw new Error('nothing can be rotated here');
  await new Promise((resolve) => setTimeout(resolve, ${Number(values.poll)}));
}`;

async function write(log) {
  const out = openSync(log, 'a', 0o600);
  const began = process.hrtime.bigint();
  const child = spawn(process.execPath, ['-e', writer], { stdio: ['ignore', out, 'inherit'] });
  closeSync(out);
  await ended(child);
  return Number(process.hrtime.bigint() - began) / 1e6;
}

async function writeRotated(log) {
  const child = spawn(process.execPath, [join(folder, 'rotator.mjs'), log], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const ms = await write(log);
  child.stdin.end();
  await ended(child);
  return ms;
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => (code === 0 ? resolve() : reject(new Error(`ended with ${code ?? signal}`))));
  });
}

/** By the numbers of the lines, in all files as cat would show them. */
function count(log) {
  const files = [log];
  while (existsSync(`${log}.${files.length}`)) files.push(`${log}.${files.length}`);
  const faults = { files: files.length, lost: 0, torn: 0, doubled: 0, unordered: 0 };
  const seen = new Uint8Array(lines);
  let rest = '';
  let last = -1;
  for (const file of files.reverse()) {
    const parts = (rest + readFileSync(file, 'latin1')).split('\n');
    rest = parts.pop();
    for (const line of parts) {
      const found = /^(\d+) x*$/.exec(line);
      if (!found || line.length !== lineBytes - 1) faults.torn++;
      else {
        const number = Number(found[1]);
        if (seen[number]++) faults.doubled++;
        if (number !== last + 1) faults.unordered++;
        last = number;
      }
    }
  }
  if (rest !== '') faults.torn++;
  for (const times of seen) if (times === 0) faults.lost++;
  return faults;
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

try {
  const { outputFiles } = await build({
    stdin: { contents: rotator, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
  });
  writeFileSync(join(folder, 'rotator.mjs'), outputFiles[0].contents);
  const times = { direct: [], rotated: [] };
  const all = { files: 0, lost: 0, torn: 0, doubled: 0, unordered: 0 };
  for (let round = -1; round < Number(values.rounds); round++) {
    for (const [kind, run] of round % 2 === 0
      ? [
          ['direct', write],
          ['rotated', writeRotated],
        ]
      : [
          ['rotated', writeRotated],
          ['direct', write],
        ]) {
      const log = join(folder, `${kind}.log`);
      const ms = await run(log);
      const faults = count(log);
      // The first round warms up.
      if (round >= 0) times[kind].push(ms);
      for (const key of Object.keys(all)) all[key] += faults[key];
      if (faults.lost + faults.torn + faults.doubled + faults.unordered > 0) console.log(kind, faults);
      for (let number = 0; number < faults.files; number++) rmSync(number === 0 ? log : `${log}.${number}`);
      for (const beside of ['base', 'times', 'next']) rmSync(`${log}.${beside}`, { force: true });
    }
  }
  console.log(
    `${values.megabytes} MB in ${lines} lines, ${values.batch} bytes a write, cut at ${values['max-size']} MB, Node ${process.version}, medians of ${values.rounds} interleaved rounds`,
  );
  for (const [kind, list] of Object.entries(times))
    console.log(`${kind.padEnd(8)} ${median(list).toFixed(0).padStart(6)} ms  (${list.map((ms) => ms.toFixed(0)).join(' ')})`);
  console.log(`ratio    ${(median(times.rotated) / median(times.direct)).toFixed(2)} x (aim: at most 1.20)`);
  console.log(`lost ${all.lost}, torn ${all.torn}, doubled ${all.doubled}, out of order ${all.unordered}`);
  if (all.lost + all.torn + all.doubled + all.unordered > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

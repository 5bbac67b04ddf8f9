// What rotation costs the daemon that writes: numbered lines into a plain file, and into a log that another process rotates meanwhile
// as a supervisor does. Every line is looked for afterwards.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { inFolder, inRounds, plainEnvironment, projectRoot, promisesProgram } from '../stage.mjs';
import { promises, Table } from '../table.mjs';

const megabyte = 1024 * 1024;
const lineBytes = 100;
/** How much the writer hands over at a time. */
const batchBytes = 4_096;
const maxBytes = 10 * megabyte;
const pollMs = 50;
const plain = 'a plain redirect';
const rotated = 'daemonry, rotating at 10 MB';

export async function measure({ rounds, megabytes }) {
  const lines = Math.floor((megabytes * megabyte) / lineBytes);
  const table = new Table({
    id: 'logs',
    title: `${megabytes} MB of log lines`,
    about: `${lines.toLocaleString('en')} lines of ${lineBytes} bytes, ${batchBytes.toLocaleString('en')} bytes a write; each line is looked for afterwards.`,
    unit: 'the unit that stands above the column',
    columns: [
      { key: 'ms', label: 'ms until written', base: plain },
      { key: 'lost', label: 'lines lost, torn, doubled or out of order' },
    ],
    aims: [
      { row: rotated, column: 'ms', atMost: 1.2 },
      { row: rotated, column: 'lost', atMost: 0, unit: 'lines' },
    ],
  });
  await inFolder(async (folder) => {
    const program = await buildRotator(folder);
    await inRounds('logs', rounds, [table], async (round) => {
      const kinds = [
        [plain, write],
        [promises, (log) => writeRotated([promisesProgram, 'rotate', log, String(maxBytes)], log)],
        [rotated, (log) => writeRotated([program, log], log)],
      ];
      for (const [row, run] of round % 2 === 0 ? kinds : kinds.reverse()) {
        const log = join(folder, 'log');
        table.add(row, 'ms', await run(log, lines));
        table.add(row, 'lost', faultsIn(log, lines));
        for (let number = 0; existsSync(number === 0 ? log : `${log}.${number}`); number++) rmSync(number === 0 ? log : `${log}.${number}`);
        for (const beside of ['base', 'times', 'next']) rmSync(`${log}.${beside}`, { force: true });
      }
    });

    async function writeRotated(program, log) {
      const child = spawn(process.execPath, program, { env: plainEnvironment(), stdio: ['pipe', 'pipe', 'inherit'] });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const ms = await write(log, lines);
      child.stdin.end();
      await ended(child);
      return ms;
    }
  });
  return [table];
}

const writer = (lines) => `
const { writeSync } = require('node:fs');
const padding = 'x'.repeat(${lineBytes});
let text = '';
for (let number = 0; number < ${lines}; number++) {
  const head = number + ' ';
  text += head + padding.slice(head.length + 1) + '\\n';
  if (text.length < ${batchBytes} && number < ${lines} - 1) continue;
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
const target = { ref: held.ref, file: null, maxBytes: ${maxBytes}, keep: 100_000 };
let isOver = false;
process.stdin.on('end', () => { isOver = true; }).resume();
process.stdout.write('ready');
let outcome = 'fits';
while (!isOver) {
  if (store.noteTime(log) >= target.maxBytes) outcome = await store.rotate(held, target);
  if (outcome === 'unsupported') throw new Error('nothing can be rotated here');
  await new Promise((resolve) => setTimeout(resolve, ${pollMs}));
}`;

async function buildRotator(folder) {
  const { outputFiles } = await build({
    stdin: { contents: rotator, resolveDir: projectRoot, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    write: false,
  });
  const file = join(folder, 'rotator.mjs');
  writeFileSync(file, outputFiles[0].contents);
  return file;
}

async function write(log, lines) {
  const out = openSync(log, 'a', 0o600);
  const began = performance.now();
  const child = spawn(process.execPath, ['-e', writer(lines)], { env: plainEnvironment(), stdio: ['ignore', out, 'inherit'] });
  closeSync(out);
  await ended(child);
  return performance.now() - began;
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => (code === 0 ? resolve() : reject(new Error(`ended with ${code ?? signal}`))));
  });
}

/** By the numbers of the lines, in all files as cat would show them. */
function faultsIn(log, lines) {
  const files = [log];
  while (existsSync(`${log}.${files.length}`)) files.push(`${log}.${files.length}`);
  let faults = 0;
  const seen = new Uint8Array(lines);
  let rest = '';
  let last = -1;
  for (const file of files.reverse()) {
    const parts = (rest + readFileSync(file, 'latin1')).split('\n');
    rest = parts.pop();
    for (const line of parts) {
      const found = /^(\d+) x*$/.exec(line);
      const number = Number(found?.[1]);
      if (!found || line.length !== lineBytes - 1 || seen[number]++ || number !== last + 1) faults++;
      if (found) last = number;
    }
  }
  if (rest !== '') faults++;
  for (const times of seen) if (times === 0) faults++;
  return faults;
}

// Medians of the command line beside `node -e 0`, from one interleaved run on one machine: ratios, since machines differ.
// Usage: npm run bench:cli [-- --rounds N] [--node PATH]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '25' }, node: { type: 'string', default: process.execPath } },
});
const rounds = Number(values.rounds);
const cli = join(root, 'bin', 'daemonry.cjs');
const home = mkdtempSync(join(tmpdir(), 'daemonry-bench-'));
// A certificate bundle that Node reads at every start would hide what is measured.
const env = { ...process.env, DAEMONRY_HOME: home, NODE_EXTRA_CA_CERTS: undefined };
const bareSpawn = `const child = require('node:child_process').spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
child.unref(); require('node:fs').writeSync(1, String(child.pid));`;

const times = new Map();

function time(label, args) {
  const began = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(values.node, args, { env, encoding: 'utf8' });
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (status !== 0) throw new Error(`${label} failed: ${stderr}`);
  times.set(label, [...(times.get(label) ?? []), ms]);
  return stdout;
}

function round() {
  time('node -e 0', ['-e', '0']);
  process.kill(Number(time('node -e spawn', ['-e', bareSpawn])), 'SIGKILL');
  time('start', [cli, 'start', 'bench', '--', 'sleep', '60']);
  time('status', [cli, 'status', 'bench']);
  time('list', [cli, 'list']);
  time('stop', [cli, 'stop', 'bench']);
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

async function inProcess() {
  process.env.DAEMONRY_HOME = home;
  const { defineDaemon } = await import(pathToFileURL(join(root, 'dist', 'index.js')).href);
  const daemon = defineDaemon({ name: 'bench', command: 'sleep', args: ['60'] });
  await daemon.start();
  for (const [label, call, most] of [
    ['status()', () => daemon.status(), 0.2],
    ['ensure()', () => daemon.ensure(), 1],
  ]) {
    const list = [];
    for (let index = 0; index < 500; index++) {
      const began = performance.now();
      await call();
      list.push(performance.now() - began);
    }
    console.log(`${label.padEnd(14)} ${median(list).toFixed(3)} ms in process (aim: under ${most} ms)`);
  }
  await daemon.stop();
}

try {
  round();
  times.clear();
  for (let index = 0; index < rounds; index++) round();
  const base = median(times.get('node -e 0'));
  const spawned = median(times.get('node -e spawn'));
  const version = spawnSync(values.node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const { version: own } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  console.log(`daemonry ${own} on Node ${version}, medians of ${rounds} interleaved rounds`);
  for (const [label, list] of times) {
    const ms = median(list);
    console.log(
      `${label.padEnd(14)} ${ms.toFixed(1).padStart(6)} ms  ${(ms / base).toFixed(2)} x node -e 0  ${(ms / spawned).toFixed(2)} x node -e spawn`,
    );
  }
  console.log('aims: status at most 1.40 x node -e 0, start at most 1.60 x node -e spawn');
  await inProcess();
} finally {
  spawnSync(values.node, [cli, 'stop', '--all'], { env });
  rmSync(home, { recursive: true, force: true });
}

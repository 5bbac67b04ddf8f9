// What every part of the bench stands on: an environment, folders of its own, and the order of rounds.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { livingInside, untilDead } from './processes.mjs';

export const projectRoot = join(fileURLToPath(import.meta.url), '..', '..', '..');
export const cli = join(projectRoot, 'bin', 'daemonry.cjs');
/** See there; a program, too. */
export const promisesProgram = join(projectRoot, 'scripts', 'bench', 'promises.cjs');

/** Of the caller's only what finds programs: a bundle of certificates that Node reads at its start would hide what is measured. */
export function plainEnvironment() {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

const parents = new Map();

/**
 * `work` with a folder of its own, in which nobody is left who was started there. It is removed at the end of the run: for five minutes
 * ext4 looks at each inode that was freed before it gives one out, and whoever comes next would pay for who was there before.
 */
export async function inFolder(work, below = tmpdir()) {
  const folder = mkdtempSync(join(parentIn(below), 'f-'));
  try {
    return await work(folder);
  } finally {
    for (const pid of livingInside(folder)) {
      process.kill(pid, 'SIGKILL');
      await untilDead(pid);
    }
  }
}

/** Where each folder has inodes of its own, far from the others': what ext4 does for folders on top, and for those below one that says so. */
function parentIn(below) {
  const known = parents.get(below);
  if (known) return known;
  const parent = realpathSync(mkdtempSync(join(below, 'daemonry-bench-')));
  parents.set(below, parent);
  spawnSync('chattr', ['+T', parent], { stdio: 'ignore' });
  process.on('exit', () => rmSync(parent, { recursive: true, force: true }));
  return parent;
}

/** Round 0 warms up: what it measured is forgotten. */
export async function inRounds(label, rounds, tables, round) {
  for (let number = 0; number <= rounds; number++) {
    if (number === 1) for (const table of tables) table.clear();
    process.stderr.write(`${label}, round ${number} of ${rounds}\n`);
    await round(number);
  }
}

export function timeOf(work) {
  const began = performance.now();
  work();
  return performance.now() - began;
}

/** Milliseconds that a command takes from its spawn to its exit, as whoever waits for it has it. */
export function timeCommand([file, ...args], options = {}) {
  const began = performance.now();
  const end = spawnSync(file, args, { env: plainEnvironment(), encoding: 'utf8', maxBuffer: 2 ** 28, ...options });
  const ms = performance.now() - began;
  const allowed = options.allowed ?? [0];
  if (end.error || !allowed.includes(end.status)) {
    throw new Error(`${file} ${args.join(' ')} ended with ${end.error?.message ?? end.status ?? end.signal}: ${end.stderr}${end.stdout}`);
  }
  return { ms, stdout: end.stdout };
}

/** The same in the background; one that hangs is killed, and has no exit code then. */
export function endOf([file, ...args], { env = plainEnvironment(), cwd, patienceMs }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, cwd, stdio: 'ignore' });
    const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    child.once('error', reject);
    child.once('exit', (exitCode) => {
      clearTimeout(impatience);
      resolve(exitCode);
    });
  });
}

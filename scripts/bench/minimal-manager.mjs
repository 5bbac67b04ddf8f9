// The floor: a Node program that spawns what it is told to, and spawns it again when it exits. It proves nothing, writes
// nothing down, and takes everything with it when it dies. With a folder as its argument, it keeps daemonry's promises.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import guarded from './promises.cjs';

const [folder] = process.argv.slice(2);

const running = new Map();

async function run(name, command) {
  const starting = folder === undefined ? bare(command) : guarded.start({ folder: join(folder, name), command, lock: 'claim' });
  running.set(name, starting);
  const child = await starting;
  const again = () => running.get(name) === starting && run(name, command);
  if (child.exitCode === null && child.signalCode === null) child.once('exit', again);
  else again();
  return child.pid;
}

function bare([file, ...args]) {
  const child = spawn(file, args, { stdio: 'ignore' });
  return new Promise((resolve, reject) => child.once('spawn', () => resolve(child)).once('error', reject));
}

async function stop(name) {
  const starting = running.get(name);
  running.delete(name);
  (await starting).kill('SIGKILL');
}

process.on('message', async ({ id, start, stop: names }) => {
  await Promise.all((names ?? []).map(stop));
  const pids = await Promise.all((start ?? []).map(({ name, command }) => run(name, command)));
  process.send({ id, pids });
});

process.on('disconnect', () => {
  for (const name of running.keys()) stop(name);
});

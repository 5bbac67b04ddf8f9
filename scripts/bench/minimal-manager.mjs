// The floor: a Node program that spawns what it is told to, and spawns it again when it exits. It proves nothing, writes
// nothing down, and takes everything with it when it dies.
import { spawn } from 'node:child_process';

const running = new Map();

function run(name, [file, ...args]) {
  const child = spawn(file, args, { stdio: 'ignore' });
  child.once('exit', () => running.get(name) === child && run(name, [file, ...args]));
  running.set(name, child);
  return new Promise((resolve, reject) => child.once('spawn', () => resolve(child.pid)).once('error', reject));
}

function stop(name) {
  const child = running.get(name);
  running.delete(name);
  child.kill('SIGKILL');
}

process.on('message', async ({ id, start, stop: names }) => {
  for (const name of names ?? []) stop(name);
  const pids = await Promise.all((start ?? []).map(({ name, command }) => run(name, command)));
  process.send({ id, pids });
});

process.on('disconnect', () => {
  for (const name of running.keys()) stop(name);
});

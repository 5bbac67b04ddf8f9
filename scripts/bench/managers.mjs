// Daemonry and the minimal manager, each behind the adapter that the peers have too.
import { execFileSync, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { livingInside, parentOf, untilDead } from './processes.mjs';
import { cli, plainEnvironment, projectRoot, promisesProgram } from './stage.mjs';
import { promises } from './table.mjs';

/**
 * An adapter: `open(folder, programs)` starts a manager in a folder of its own and has it run `{name, command}` each, and
 * resolves when all of them do. `pids()`: its resident processes. `close()`: leaves nothing. `list`, `stopAll`: command lines
 * of it. `start(name)`, `status(name)`, `stop(name)`: the same, for one of the programs.
 * `startMs`: how long `open` took for the programs alone, where that can be told from the manager's own start.
 */
export const minimalManager = minimal('minimal Node manager', () => []);

/** The same, with all that daemonry's promises take. */
export const promisingManager = minimal(promises, (folder) => [join(folder, 'home')]);

function minimal(name, argumentsIn) {
  return {
    name,
    find: () => `Node ${process.versions.node}`,
    async open(folder, programs) {
      const manager = fork(join(fileURLToPath(import.meta.url), '..', 'minimal-manager.mjs'), argumentsIn(folder), {
        env: plainEnvironment(),
      });
      let last = 0;
      const ask = (message) =>
        new Promise((resolve) => {
          const id = ++last;
          const listen = (answer) => {
            if (answer.id !== id) return;
            manager.off('message', listen);
            resolve(answer.pids);
          };
          manager.on('message', listen).send({ id, ...message });
        });
      await ask({ start: [] });
      const began = performance.now();
      const children = await ask({ start: programs });
      return {
        startMs: performance.now() - began,
        pids: () => [manager.pid],
        ...(name === promises ? { list: [process.execPath, promisesProgram, 'list', join(folder, 'home')] } : {}),
        async close() {
          await ask({ stop: programs.map(({ name }) => name) });
          manager.disconnect();
          for (const pid of [...children, manager.pid]) await untilDead(pid);
        },
      };
    },
  };
}

/** `how`: whether the library is asked for all of them at once or for one after the other; both in this very process. */
export function daemonry(how, options = {}) {
  return {
    name: 'daemonry',
    find: () => `daemonry, started ${how} through the library`,
    async open(folder, programs) {
      const home = join(folder, 'home');
      const { defineDaemon } = await import(pathToFileURL(join(projectRoot, 'dist', 'index.js')).href);
      const daemons = programs.map(({ name, command: [command, ...args] }) =>
        defineDaemon({ name, command, args, home, cwd: folder, restart: 'always', restartLimit: 0, restartDelayMs: 0, ...options }),
      );
      const first = await defineDaemon({ name: 'first', command: 'sleep', args: ['1000'], home, cwd: folder, restart: 'always' });
      const manager = parentOf((await first.start()).pid);
      const began = performance.now();
      if (how === 'at once') await Promise.all(daemons.map((daemon) => daemon.start()));
      else for (const daemon of daemons) await daemon.start();
      const startMs = performance.now() - began;
      await first.stop();
      return {
        startMs,
        pids: () => [manager],
        list: [process.execPath, cli, 'list', '--home', home],
        stopAll: [process.execPath, cli, 'stop', '--all', '--home', home],
        status: (name) => [process.execPath, cli, 'status', name, '--home', home],
        async close() {
          // In one process, and the supervisor last: as `stop --all` does it.
          const answer = JSON.parse(run(['stop', '--all', '--json', '--home', home]));
          const failed = (answer.results ?? []).filter(({ error }) => error);
          const left = livingInside(folder);
          for (const pid of left) process.kill(pid, 'SIGKILL');
          for (const pid of left) await untilDead(pid);
          // The supervisor leaves by itself or with the rest; nothing else may be left.
          const strays = left.filter((pid) => pid !== manager);
          if (failed.length > 0 || strays.length > 0) throw new Error(`daemonry left ${strays.join(', ')}: ${JSON.stringify(failed)}`);
        },
      };
    },
  };
}

function run(args) {
  return execFileSync(process.execPath, [cli, ...args], { env: plainEnvironment(), encoding: 'utf8', maxBuffer: 2 ** 26 });
}

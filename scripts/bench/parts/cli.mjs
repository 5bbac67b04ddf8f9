// What the verbs cost whoever types them: from the spawn of a command line to its exit.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cli, inFolder, inRounds, promisesProgram, timeCommand } from '../stage.mjs';
import { promises, Table } from '../table.mjs';

const bare = 'node -e 0';
const bareSpawn = 'node -e, spawning it detached';
const ours = 'daemonry';
const program = ['/bin/sleep', '1000'];
const spawnScript = `const child = require('node:child_process').spawn(${JSON.stringify(program[0])}, ${JSON.stringify(program.slice(1))}, { detached: true, stdio: 'ignore' });
child.unref(); require('node:fs').writeSync(1, String(child.pid));`;

const tableOf = (about) =>
  new Table({
    ...about,
    unit: 'ms',
    columns: [
      { key: 'start', label: 'start', base: bareSpawn },
      { key: 'status', label: 'status', base: bare },
      { key: 'list', label: 'list', base: bare },
      { key: 'stop', label: 'stop', base: bare },
    ],
    aims: [
      { row: ours, column: 'status', atMost: 1.4 },
      { row: ours, column: 'start', atMost: 1.6 },
      { row: ours, column: 'stop', atMost: 1.5 },
    ],
  });

export async function measure({ rounds, peers, starters, nodes }) {
  const main = tableOf({
    id: 'command-line',
    title: 'Command lines',
    about: 'One daemon, `sleep`: started until it runs, looked at, listed and stopped. The manager of a peer that has one is up already.',
  });
  const others = nodes.map((node) => {
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
    const table = tableOf({
      id: `command-line-node-${/\d+/.exec(version)[0]}`,
      title: `Command lines on Node ${version.slice(1)}`,
      about: 'As above, since every Node starts in a way of its own.',
    });
    return { node, table };
  });
  await inFolder(async (folder) => {
    const opened = [];
    try {
      for (const peer of [...peers, ...starters]) {
        const own = join(folder, peer.name);
        mkdirSync(own);
        opened.push({ name: peer.name, ...(await peer.open(own, [{ name: 'bench', command: program }])) });
        // A manager has started it already.
        if (opened.at(-1).close) timeCommand(opened.at(-1).stop('bench'));
      }
      await inRounds('command lines', rounds, [main, ...others.map(({ table }) => table)], async () => {
        for (const { node, table } of [{ node: process.execPath, table: main }, ...others]) {
          floors(table, node, folder);
          verbs(table, node, folder);
        }
        for (const peer of opened) await verbsOf(peer, main);
      });
    } finally {
      for (const { close } of opened) await close?.();
    }
  });
  return [main, ...others.map(({ table }) => table)];
}

function floors(table, node, folder) {
  const { ms } = timeCommand([node, '-e', '0']);
  for (const column of ['status', 'list', 'stop']) table.add(bare, column, ms);
  const spawning = timeCommand([node, '-e', spawnScript]);
  table.add(bareSpawn, 'start', spawning.ms);
  process.kill(Number(spawning.stdout), 'SIGKILL');
  const least = (verb, ...args) => timeCommand([node, promisesProgram, verb, ...args]).ms;
  const home = join(folder, 'promises');
  table.add(promises, 'start', least('start', join(home, 'bench'), ...program));
  table.add(promises, 'list', least('list', home));
  table.add(promises, 'stop', least('stop', join(home, 'bench')));
}

function verbs(table, node, folder) {
  const line = (verb, ...args) => [node, cli, verb, '--home', join(folder, 'home'), ...args];
  table.add(ours, 'start', timeCommand(line('start', 'bench', '--', ...program)).ms);
  table.add(ours, 'status', timeCommand(line('status', 'bench')).ms);
  table.add(ours, 'list', timeCommand(line('list')).ms);
  table.add(ours, 'stop', timeCommand(line('stop', 'bench')).ms);
}

async function verbsOf(peer, table) {
  table.add(peer.name, 'start', timeCommand(peer.start('bench')).ms);
  if (peer.end) return peer.end();
  table.add(peer.name, 'status', timeCommand(peer.status('bench')).ms);
  if (peer.list) table.add(peer.name, 'list', timeCommand(peer.list).ms);
  table.add(peer.name, 'stop', timeCommand(peer.stop('bench')).ms);
}

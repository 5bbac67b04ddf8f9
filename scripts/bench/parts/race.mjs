// Many callers start one daemon at the same moment: how many of them succeed, and how many daemons there are then.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allPids, commandLineOf, waitFor } from '../processes.mjs';
import { cli, endOf, inFolder, timeCommand } from '../stage.mjs';
import { Table } from '../table.mjs';

const callers = 32;
/** Who has not answered by then hangs. */
const patienceMs = 30_000;
/** Until whoever answers before he has started anything has done so. */
const settleMs = 500;
const ours = 'daemonry';

export async function measure({ raceRounds, peers, starters }) {
  const table = new Table({
    id: 'race',
    title: `${callers} starts of one daemon at the same moment`,
    about: `${callers} command lines, whose daemon does not run yet; pm2 twice, since it starts its manager by itself. A caller that has not answered after ${patienceMs / 1_000} s is killed, and has not succeeded.`,
    unit: 'the unit that stands above the column',
    columns: [
      { key: 'daemons', label: 'daemons' },
      { key: 'refused', label: 'callers that did not succeed' },
      { key: 'ms', label: 'ms until the last had answered' },
    ],
    aims: [
      { row: ours, column: 'daemons', atMost: 1, unit: 'daemon' },
      { row: ours, column: 'refused', atMost: 0, unit: 'callers' },
    ],
  });
  for (let round = 1; round <= raceRounds; round++) {
    process.stderr.write(`race, round ${round} of ${raceRounds}\n`);
    await race(table, ours, (folder, words) => ({
      line: [process.execPath, cli, 'start', name, '--home', join(folder, 'home'), '--', ...words],
    }));
    for (const peer of [...peers, ...starters]) {
      await race(table, peer.name, (folder, words) => knownTo(peer, folder, words));
      if (peer.openCold) await race(table, `${peer.name}, its manager not up`, (folder, words) => coldly(peer, folder, words));
    }
  }
  return [table];
}

const name = 'raced';

/** The manager is up, and knows of the program where it has to, which does not run. */
async function knownTo(peer, folder, words) {
  const open = await peer.open(folder, peer.startsAnew ? [] : [{ name, command: words }]);
  if (open.close && !peer.startsAnew) timeCommand(open.stop(name));
  return { line: open.startAnew?.(words) ?? open.start(name), close: open.close };
}

function coldly(peer, folder, words) {
  const open = peer.openCold(folder);
  return { line: open.startAnew(words), close: open.close };
}

async function race(table, row, prepare) {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'peer'));
    // Nobody else's sleep is this long.
    const words = ['/bin/sleep', `100000.${Math.floor(Math.random() * 1e9)}`];
    const { line, close } = await prepare(join(folder, 'peer'), words);
    const copies = () => allPids().filter((pid) => commandLineOf(pid) === words.map((word) => `${word}\0`).join(''));
    try {
      const began = performance.now();
      const ends = await Promise.all(Array.from({ length: callers }, () => endOf(line, { patienceMs })));
      table.add(row, 'ms', performance.now() - began);
      table.add(row, 'refused', ends.filter((exitCode) => exitCode !== 0).length);
      // Some answer before they have started anything.
      await waitFor('a daemon', () => copies().length > 0);
      await sleep(settleMs);
      table.add(row, 'daemons', copies().length);
    } finally {
      await close?.();
      for (const pid of copies()) process.kill(pid, 'SIGKILL');
    }
  });
}

// From the end of a process to the next one.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { daemonry, minimalManager, promisingManager } from '../managers.mjs';
import { waitFor } from '../processes.mjs';
import { inFolder, inRounds } from '../stage.mjs';
import { Table } from '../table.mjs';

const inARow = 6;
/** Long enough for whatever a manager does after a restart to be over. */
const settleMs = 150;
const ours = 'daemonry, no delays';
const floor = minimalManager.name;

/** A shell that says who it is and when, to the microsecond, as soon as it can. */
function witness(folder) {
  return [{ name: 'witness', command: ['/bin/bash', '-c', `echo $$ $EPOCHREALTIME >>${join(folder, 'pids')}; exec sleep 1000`] }];
}

export async function measure({ rounds, slowRounds, peers }) {
  const table = new Table({
    id: 'supervise',
    title: 'From kill -9 to the new process',
    about: 'A shell that says when it begins, killed as soon as its manager has settled.',
    unit: 'ms',
    columns: [
      { key: 'first', label: 'the first', base: floor },
      { key: 'last', label: `number ${inARow} in a row`, base: floor },
    ],
    aims: [
      { row: ours, column: 'first', atMost: 1.5 },
      { row: ours, column: 'last', atMost: 1.5 },
    ],
  });
  await inRounds('crashes', rounds, [table], async (round) => {
    await crashes(table, minimalManager, floor);
    await crashes(table, promisingManager, promisingManager.name);
    await crashes(table, daemonry('at once'), ours);
    if (round === 0 || round > slowRounds) return;
    await crashes(table, daemonry('at once', { restartDelayMs: undefined }), 'daemonry, delays as they are by default');
    for (const peer of peers) await crashes(table, peer, peer.name);
  });
  return [table];
}

function crashes(table, adapter, row) {
  return inFolder(async (folder) => {
    const open = await adapter.open(folder, witness(folder));
    try {
      const runs = () => readLines(join(folder, 'pids'));
      await waitFor('its first run', () => runs().length === 1);
      for (let crash = 1; crash <= inARow; crash++) {
        await sleep(settleMs);
        const [pid] = runs().at(-1);
        const atMs = killOnTheDot(pid);
        const [, startedSeconds] = await waitFor('the next run', () => runs()[crash]);
        if (crash === 1) table.add(row, 'first', startedSeconds * 1_000 - atMs);
        if (crash === inARow) table.add(row, 'last', startedSeconds * 1_000 - atMs);
      }
    } finally {
      await open.close();
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

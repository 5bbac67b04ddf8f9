// One daemon or a thousand: what starting, listing and stopping them takes, and what stays resident.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { daemonry, minimalManager, promisingManager } from '../managers.mjs';
import { memoryOf, processorMsOf } from '../processes.mjs';
import { cli, inFolder, timeCommand } from '../stage.mjs';
import { Table } from '../table.mjs';

const bare = 'node -e 0';
const ours = 'daemonry';
const floor = minimalManager.name;
const settleMs = 300;
const idleMs = 3_000;
const records = 10_000;
/** Where there is such a folder: some disks take minutes to remove so many files. What is read is in memory in any case. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : undefined;

export async function measure({ scaleRounds, counts, peers, peersUpTo }) {
  const columnsOf = (base) => counts.map((count) => ({ key: String(count), label: String(count), base }));
  const aimsOf = (atMost) => (counts.includes(500) ? [{ row: ours, column: '500', atMost }] : []);
  const tables = {
    start: new Table({
      id: 'scale-start',
      title: 'Starting many',
      about: 'Supervised, in one call. The manager is up already, except for those of s6 and runit, of which there is one for each.',
      unit: 'ms',
      columns: columnsOf(floor),
      aims: aimsOf(2),
    }),
    list: new Table({
      id: 'scale-list',
      title: 'Listing them',
      about: 'The command line.',
      unit: 'ms',
      columns: columnsOf(bare),
      aims: aimsOf(2),
    }),
    status: new Table({
      id: 'scale-status',
      title: 'Status of one of them',
      about: 'The command line.',
      unit: 'ms',
      columns: columnsOf(bare),
    }),
    stop: new Table({ id: 'scale-stop', title: 'Stopping all', about: 'The command line.', unit: 'ms', columns: columnsOf(floor) }),
    memory: new Table({
      id: 'scale-memory',
      title: 'Resident memory of the manager',
      about: 'The proportional share (PSS) of all its processes, once it does not get less any more.',
      unit: 'MiB',
      columns: columnsOf(floor),
      aims: aimsOf(1.3),
    }),
    private: new Table({
      id: 'scale-private',
      title: 'Of it, what is shared with nobody',
      about: 'As above.',
      unit: 'MiB',
      columns: columnsOf(floor),
    }),
    idle: new Table({
      id: 'scale-idle',
      title: 'The manager while nothing happens',
      about: `Processor time in a second, over ${idleMs / 1_000} s.`,
      unit: 'ms',
      columns: columnsOf(undefined),
    }),
  };
  for (let round = 1; round <= scaleRounds; round++) {
    for (const count of counts) {
      process.stderr.write(`${count} daemons, round ${round} of ${scaleRounds}\n`);
      await scale(tables, minimalManager, floor, count);
      await scale(tables, promisingManager, promisingManager.name, count);
      await scale(tables, daemonry('at once'), ours, count);
      if (round === 1 && count <= 500) await scale({ start: tables.start }, daemonry('one by one'), 'daemonry, one by one', count);
      if (count <= peersUpTo) for (const peer of peers) await scale(tables, peer, peer.name, count);
    }
  }
  return [...Object.values(tables), await manyRecords(scaleRounds)];
}

async function scale(tables, adapter, row, count) {
  const sleepers = Array.from({ length: count }, (_, index) => ({ name: `sleeper-${index}`, command: ['/bin/sleep', '10000'] }));
  await inFolder(async (folder) => {
    const open = await adapter.open(folder, sleepers);
    try {
      const column = String(count);
      tables.start.add(row, column, open.startMs);
      if (tables.memory) await residence(tables, open, row, column);
      for (let time = 0; time <= 3; time++) {
        for (const [table, line] of [
          [tables.list, open.list],
          [tables.status, open.status?.('sleeper-0')],
        ]) {
          if (!table || !line) continue;
          const own = timeCommand(line).ms;
          const base = timeCommand([process.execPath, '-e', '0']).ms;
          // The first warms up.
          if (time === 0) continue;
          table.add(bare, column, base);
          table.add(row, column, own);
        }
      }
      if (tables.stop && open.stopAll) tables.stop.add(row, column, timeCommand(open.stopAll).ms);
    } finally {
      const began = performance.now();
      await open.close();
      if (tables.stop && adapter === minimalManager) tables.stop.add(row, String(count), performance.now() - began);
    }
  });
}

async function residence(tables, open, row, column) {
  // Until it does not get less any more: what a manager needs while it starts is not what it keeps.
  let memory = memoryOf(open.pids());
  for (let calm = 0; calm < 4; ) {
    await sleep(settleMs);
    const next = memoryOf(open.pids());
    calm = next.pssKb < memory.pssKb ? 0 : calm + 1;
    memory = next;
  }
  tables.memory.add(row, column, memory.pssKb / 1_024);
  tables.private.add(row, column, memory.privateKb / 1_024);
  const pids = open.pids();
  const before = processorMsOf(pids);
  await sleep(idleMs);
  tables.idle.add(row, column, ((processorMsOf(pids) - before) * 1_000) / idleMs);
}

/** Records of daemons that run, by copies of one that does, and of daemons that were lost. */
async function manyRecords(rounds) {
  const table = new Table({
    id: 'records',
    title: `A home with ${records.toLocaleString('en')} records`,
    about: 'Each with its folder, record and remembered spec.',
    unit: 'ms',
    columns: [
      { key: 'running', label: 'of daemons that run', base: bare },
      { key: 'stale', label: 'of daemons that were lost', base: bare },
    ],
    aims: [
      { row: 'daemonry list', column: 'running', atMost: 1_000, unit: 'ms' },
      { row: 'daemonry list', column: 'stale', atMost: 1_000, unit: 'ms' },
    ],
  });
  await inFolder(async (folder) => {
    const first = join(folder, 'first');
    timeCommand([process.execPath, cli, 'start', 'one', '--home', first, '--', '/bin/sleep', '10000']);
    for (const kind of ['running', 'stale']) copyRecords(join(first, 'one'), join(folder, kind), kind);
    for (let round = 0; round <= rounds; round++) {
      process.stderr.write(`${records} records, round ${round} of ${rounds}\n`);
      for (const kind of ['running', 'stale']) {
        const base = timeCommand([process.execPath, '-e', '0']).ms;
        const home = ['--home', join(folder, kind)];
        const list = timeCommand([process.execPath, cli, 'list', ...home]).ms;
        const json = timeCommand([process.execPath, cli, 'list', '--json', ...home]).ms;
        const status = timeCommand([process.execPath, cli, 'status', 'copy-7', ...home], { allowed: [0, 1] }).ms;
        if (round === 0) continue;
        table.add(bare, kind, base);
        table.add('daemonry list', kind, list);
        table.add('daemonry list --json', kind, json);
        table.add('daemonry status of one', kind, status);
      }
    }
    timeCommand([process.execPath, cli, 'stop', 'one', '--home', first]);
  }, inMemory);
  return table;
}

function copyRecords(from, home, kind) {
  const read = (file) => JSON.parse(readFileSync(join(from, file), 'utf8'));
  const [descriptor, spec] = [read('daemon.json'), read('spec.json')];
  mkdirSync(home, { mode: 0o700 });
  for (let index = 0; index < records; index++) {
    const name = `copy-${index}`;
    const folder = join(home, name);
    // Beyond the last pid that any system gives.
    const pid = kind === 'running' ? descriptor.pid : 5_000_000 + index;
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, 'daemon.json'), `${JSON.stringify({ ...descriptor, name, pid }, null, 2)}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'spec.json'), `${JSON.stringify({ ...spec, name }, null, 2)}\n`, { mode: 0o600 });
  }
}

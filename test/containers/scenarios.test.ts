import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { LinuxProcessInspector } from '../../src/adapters/linux/linux-process-inspector.js';
import type { Descriptor } from '../../src/domain/descriptor.js';
import { sight } from '../../src/domain/look.js';
import { waitFor } from '../support/wait-for.js';
import { processesOf } from './row-container.js';
import { daemonry, engineContainer, scenarios } from './row-scenarios.js';

const sleeper = ['--', 'sleep', '1000'];

/** Until another row has gone, which is a whole suite. */
const longestRowMs = 400_000;

scenarios('unreaped', (it) => {
  it('stop: is done although pid 1 leaves the daemon a zombie (F5)', async (stage, row) => {
    const container = await stage.start(row);
    expect(await daemonry(container, 'start', 'x', ...sleeper)).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(await daemonry(container, 'stop', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
    expect(await processesOf(container)).toMatch(/\(sleep\) Z 1 /);
    expect(await daemonry(container, 'start', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
  });

  it('status: a daemon that was killed and stays a zombie is stale (F5)', async (stage, row) => {
    const container = await stage.start(row);
    const { json } = await daemonry(container, 'start', 'x', ...sleeper);
    await container.exec(['sh', '-c', `kill -9 ${json.pid}`]);
    await waitFor('the zombie', async () => (await processesOf(container)).includes(`${json.pid} (sleep) Z 1 `));
    expect(await daemonry(container, 'status', 'x')).toMatchObject({ exitCode: 1, json: { status: 'stale' } });
    expect(await daemonry(container, 'start', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
  });
});

scenarios('read-only', (it) => {
  it('start: says which path it can not write, and starts where it can (F27)', async (stage, row) => {
    const container = await stage.start(row, { environment: { HOME: '/home/ann' } });
    expect(await daemonry(container, 'start', 'x', ...sleeper)).toMatchObject({
      exitCode: 1,
      json: { error: { path: expect.stringContaining('/home/ann'), errno: 'EROFS' } },
    });
    expect(await daemonry(container, 'start', 'x', '--home', '/volume/home', ...sleeper)).toMatchObject({
      exitCode: 0,
      json: { outcome: 'started' },
    });
  });
});

scenarios('busybox', (it) => {
  it('doctor: says that the kernel can not hold the lock here', async (stage, row) => {
    const container = await stage.start(row);
    const { exitCode, stdout } = await container.exec(['daemonry', 'doctor', '--json']);
    expect({ exitCode, json: JSON.parse(stdout) }).toMatchObject({ exitCode: 1, json: { findings: [{ code: 'no-kernel-lock' }] } });
  });
});

scenarios('tiny-disk', (it) => {
  const disk = { tmpFs: { '/volume': 'rw,size=64k,mode=1777' } };

  it('start, stop and restart do with 64 KB', async (stage, row) => {
    const container = await stage.start(row, disk);
    expect(await daemonry(container, 'start', 'x', ...sleeper)).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(await daemonry(container, 'restart', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    expect(await daemonry(container, 'stop', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
  });

  it('start: fails at once beside a daemon that has filled the disk, which is still seen and stopped (F26)', async (stage, row) => {
    const container = await stage.start(row, disk);
    // Again and again: what another file gives back is taken, too.
    const fills = 'while :; do head -c 4096 /dev/zero; sleep 0.1; done 2>/dev/null';
    const { json } = await daemonry(container, 'start', 'x', '--', 'sh', '-c', fills);
    await waitFor('the disk to be full', async () =>
      (await container.exec(['df', '--output=avail', '/volume'])).stdout.endsWith('\n    0\n'),
    );
    expect(await daemonry(container, 'status', 'x')).toMatchObject({ exitCode: 0, json: { status: 'running', pid: json.pid } });
    expect(await daemonry(container, 'start', 'y', ...sleeper)).toMatchObject({
      exitCode: 1,
      json: { error: { path: expect.stringContaining('/volume/home/y'), errno: 'ENOSPC' } },
    });
    expect(await daemonry(container, 'stop', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
    expect(await processesOf(container)).not.toContain('head -c');
  });
});

scenarios('shared-volume', (it) => {
  it('stop: leaves a daemon of another container alone (F7)', async (stage, row) => {
    const { volume } = stage;
    const [mine, others] = [await stage.start(row, { volume }), await stage.start(row, { volume })];
    const { json } = await daemonry(others, 'start', 'x', ...sleeper);
    expect(await daemonry(mine, 'status', 'x')).toMatchObject({ exitCode: 4, json: { status: 'unknown' } });
    for (const verb of ['stop', 'start', 'restart'])
      expect(await daemonry(mine, verb, 'x')).toMatchObject({ exitCode: 1, json: { error: { code: 'unknown-daemon' } } });
    expect(await daemonry(others, 'status', 'x')).toMatchObject({ exitCode: 0, json: { status: 'running', pid: json.pid } });
  });

  it('stop: does not take whoever has the same pid for the daemon of another container (F2, F7)', async (stage, row) => {
    const { volume } = stage;
    const [mine, others] = [await stage.start(row, { volume }), await stage.start(row, { volume })];
    const { json } = await daemonry(others, 'start', 'x', ...sleeper);
    const { stdout: stranger } = await mine.exec(['sh', '-c', `${untilPid(json.pid as number)}; echo $pid`]);
    expect(Number(stranger)).toBe(json.pid);
    expect(await daemonry(mine, 'status', 'x')).toMatchObject({ exitCode: 4, json: { status: 'unknown' } });
    expect(await daemonry(mine, 'stop', 'x')).toMatchObject({ exitCode: 1, json: { error: { code: 'unknown-daemon' } } });
    expect(await processesOf(mine)).toMatch(new RegExp(`^${json.pid} \\(sleep\\) S `, 'm'));
  });

  it('lock: excludes across containers, and starters make one daemon (F11)', async (stage, row) => {
    const { volume } = stage;
    const [one, two] = [await stage.start(row, { volume }), await stage.start(row, { volume })];
    writeFileSync(join(volume, 'slow.sh'), 'sleep 1000\n');
    const starts = await Promise.all(
      [one, two].flatMap((container) => [1, 2, 3].map(() => daemonry(container, 'start', 'x', '--', 'sh', '/volume/slow.sh'))),
    );
    const outcomes = starts.map(({ json }) => json.outcome ?? (json.error as { code: string }).code);
    expect(outcomes.sort()).toEqual([...Array(2).fill('already-running'), 'started', ...Array(3).fill('unknown-daemon')]);
  });

  it('seen from the host, a container that is gone took its daemons with it, and a living one can not be judged', async (stage, row) => {
    const { volume } = stage;
    const container = await stage.start(row, { volume });
    await daemonry(container, 'start', 'x', ...sleeper);
    const descriptor = JSON.parse(readFileSync(join(volume, 'home', 'x', 'daemon.json'), 'utf8')) as Descriptor;
    const inspector = new LinuxProcessInspector({});
    // The host has a name of its own; that apart, only the namespace is in question.
    const recorded = { ...descriptor, host: inspector.vantage().host };
    expect(await sight(inspector, recorded)).toEqual({ kind: 'cannot-tell', reason: 'other-pid-namespace' });
    await stage.stop(container);
    // Where the kernel gives the number of its namespace to another row's container at once, that one has to go first.
    await waitFor('its end to be seen', async () => (await sight(inspector, recorded)).kind === 'gone', longestRowMs);
  });
});

/** Starts short processes until one has this pid, and that one sleeps. */
function untilPid(pid: number): string {
  return `for try in $(seq 2000); do sleep 1000 >/dev/null 2>&1 & pid=$!; [ $pid -ge ${pid} ] && break; kill $pid; wait $pid 2>/dev/null; done`;
}

scenarios('restarted', (it) => {
  it('status: a record from before the container was restarted is unknown, and healed where the home is its own (F6)', async (stage, row) => {
    const { volume } = stage;
    const container = await stage.start(row, { volume });
    await daemonry(container, 'start', 'x', ...sleeper);
    const { pidNamespace } = JSON.parse(readFileSync(join(volume, 'home', 'x', 'daemon.json'), 'utf8')) as Descriptor;
    const ended = await engineContainer(container);
    // The kernel gives the number of a dead namespace to the next one: let that be another's.
    await waitFor('another namespace', async () => {
      await ended.kill();
      await stage.start(row);
      await ended.start();
      return (await container.exec(['readlink', '/proc/self/ns/pid'])).output.trim() !== pidNamespace;
    });
    expect(await daemonry(container, 'status', 'x')).toMatchObject({
      exitCode: 4,
      json: { status: 'unknown', reason: 'other-pid-namespace' },
    });
    expect(await daemonry(container, 'start', 'x')).toMatchObject({ exitCode: 1, json: { error: { code: 'unknown-daemon' } } });
    const { exitCode, stdout } = await container.exec(['env', 'DAEMONRY_EXCLUSIVE_HOME=1', 'daemonry', 'start', 'x', '--json']);
    expect({ exitCode, json: JSON.parse(stdout) }).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
  });
});

/**
 * Has a greedy daemon eat, and waits until the kernel has killed it and has its memory back. Before that, it may kill whoever
 * wants some next, a verb or a supervisor: so nothing is spawned here meanwhile.
 */
const untilKilled = `: >/volume/eat
  memory=/sys/fs/cgroup/memory; events=$memory/memory.oom_control; usage=$memory/memory.usage_in_bytes
  [ -e $events ] || { events=/sys/fs/cgroup/memory.events; usage=/sys/fs/cgroup/memory.current; }
  while :; do
    kills=0
    while read -r word count; do [ "$word" = oom_kill ] && kills=$count; done <$events
    read -r used <$usage
    [ "$kills" -gt 0 ] && [ "$used" -lt 200000000 ] && break
  done`;
const eat = 'for (const kept = [];;) kept.push(Buffer.alloc(1e6, 1));';

scenarios('out-of-memory', (it) => {
  it('a daemon that the kernel killed is stale, and starts again', async (stage, row) => {
    const container = await stage.start(row);
    const greedy = `console.log('up'); setInterval(() => { if (require('fs').existsSync('/volume/eat')) ${eat} }, 20)`;
    expect(await daemonry(container, 'start', 'x', '--', 'node', '-e', greedy)).toMatchObject({
      exitCode: 0,
      json: { outcome: 'started' },
    });
    await container.exec(['sh', '-c', untilKilled]);
    await waitFor('its end', async () => (await daemonry(container, 'status', 'x')).json.status !== 'running', 60_000);
    expect(await daemonry(container, 'status', 'x')).toMatchObject({ exitCode: 1, json: { status: 'stale' } });
    expect(
      (await container.exec(['sh', '-c', 'cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events'])).output,
    ).toMatch(/oom_kill [1-9]/);
    await container.exec(['rm', '/volume/eat']);
    expect(await daemonry(container, 'start', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    // Nobody saw its end, but the kernel counts whom it kills for want of memory.
    expect((await daemonry(container, 'why', 'x')).json.runs).toMatchObject([{ cause: 'oom', exitCode: null, signal: null }]);
    expect(await daemonry(container, 'stop', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
  });

  it('a supervised daemon that the kernel killed is restarted, and why tells of it', async (stage, row) => {
    const container = await stage.start(row);
    const greedyOnce = `console.log('up'); const fs = require('fs');
      setInterval(() => { if (fs.existsSync('/volume/eat')) { fs.unlinkSync('/volume/eat'); ${eat} } }, 20)`;
    const started = await daemonry(container, 'start', 'x', '--restart', 'always', '--', 'node', '-e', greedyOnce);
    expect(started).toMatchObject({ exitCode: 0, json: { outcome: 'started' } });
    await container.exec(['sh', '-c', untilKilled]);
    const runsOf = async () => (await daemonry(container, 'why', 'x')).json.runs as readonly unknown[];
    await waitFor('a run on record', async () => (await runsOf()).length > 0, 60_000);
    expect(await runsOf()).toMatchObject([{ pid: started.json.pid, cause: 'oom', signal: 'SIGKILL', logTail: ['up'] }]);
    const after = await daemonry(container, 'status', 'x');
    expect(after).toMatchObject({ exitCode: 0, json: { status: 'running', phase: 'ready' } });
    expect(after.json.pid).not.toBe(started.json.pid);
    expect(await daemonry(container, 'stop', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
    // A crash that is none of the kernel's is told apart from it, in the same container.
    const again = await daemonry(container, 'start', 'x');
    await container.exec(['sh', '-c', `kill -9 ${again.json.pid}`]);
    await waitFor('its record', async () => (await runsOf()).length > 2, 60_000);
    expect((await runsOf())[0]).toMatchObject({ pid: again.json.pid, cause: 'crash', signal: 'SIGKILL' });
    expect(await daemonry(container, 'stop', 'x')).toMatchObject({ exitCode: 0, json: { outcome: 'stopped' } });
  });
});

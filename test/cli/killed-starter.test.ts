import { existsSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { hasExecuted, isAlive } from '../support/processes.js';
import { chooseSeed, seededRandom } from '../support/random.js';
import { fixture, serveFile } from '../support/suite.js';
import { type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const lanes = 4;
const roundsOfLane = 8;

/** How long a start takes here and now, which is the span of the random moments. */
async function measureSpanMs(home: TemporaryHome): Promise<number> {
  const began = performance.now();
  await home.startSleeper('measured');
  return (performance.now() - began) * 1.2;
}

function ofClock(home: TemporaryHome) {
  return home.processes().filter(({ descriptor }) => descriptor === home.at('clock', 'daemon.json'));
}

/** Every process that runs the command is the one on record. A gate that still waits is none, and will be gone. */
function expectOnRecord(home: TemporaryHome, note: string): void {
  for (const seen of ofClock(home)) {
    if (!hasExecuted(seen.pid)) continue;
    const { pid, instanceId } = home.descriptor('clock') ?? {};
    expect({ pid: seen.pid, instanceId: seen.instanceId }, note).toEqual({ pid, instanceId });
  }
}

describe('a starter that is killed at a random moment (F12, F13)', () => {
  const seed = chooseSeed();

  for (let lane = 0; lane < lanes; lane++) {
    test.concurrent(`leaves no daemon without a descriptor, and nothing that the next start does not heal: ${roundsOfLane} rounds, lane ${lane}`, async ({
      home,
    }) => {
      const random = seededRandom(seed + lane);
      const spanMs = await measureSpanMs(home);
      const clock = home.sleeper('clock');
      for (let round = 0; round < roundsOfLane; round++) {
        const note = `TEST_SEED=${seed}, lane ${lane}, round ${round}`;
        const killAfterMs = random() * spanMs;
        const starter = home.spawnCli(['start', 'clock', '--', 'sleep', '1000']);
        setTimeout(() => starter.kill('SIGKILL'), killAfterMs);
        await starter.end();
        expectOnRecord(home, note);
        await waitFor(`${note}: the end of a gate without its starter`, () => ofClock(home).every(({ pid }) => hasExecuted(pid)));
        expectOnRecord(home, note);
        expect(ofClock(home).length, note).toBeLessThanOrEqual(1);

        const healed = await clock.start();
        expect(['started', 'already-running'], note).toContain(healed.outcome);
        expect(ofClock(home), note).toMatchObject([{ pid: healed.pid, instanceId: healed.instanceId }]);
        expect(home.descriptor('clock'), note).toMatchObject({ pid: healed.pid, phase: 'ready' });
        expect((await clock.stop()).outcome, note).toBe('stopped');
        expect(ofClock(home), note).toEqual([]);
      }
      // What a killed writer left half written goes with the next launch.
      await clock.start();
      expect(home.filesOf('clock').filter((file) => file.endsWith('.tmp'))).toEqual([]);
    });
  }
});

describe.concurrent('a stopper that is killed', () => {
  test('in the middle of the grace leaves a daemon that the next stop ends', async ({ home }) => {
    const script = 'trap "echo asked" TERM; echo trapping; while :; do sleep 1000 & wait; done';
    const { pid } = await home.start('clock', ['sh', '-c', script], '--ready', 'log:trapping');
    const stopper = home.spawnCli(['stop', 'clock']);
    await home.logSays('clock', 'asked');
    await waitFor('the phase', () => home.descriptor('clock').phase === 'stopping');
    stopper.kill('SIGKILL');
    await stopper.end();
    expect((await home.cli(['status', 'clock', '--json'])).json).toMatchObject({ status: 'running', phase: 'stopping', pid });
    expect((await home.cli(['stop', 'clock', '--grace', '50ms', '--json'])).json.outcome).toBe('killed');
    expect(isAlive(pid)).toBe(false);
  });

  test('in the middle of the grace leaves a daemon that the next start replaces', async ({ home }) => {
    const script = 'trap "echo asked" TERM; echo trapping; while :; do sleep 1000 & wait; done';
    const { pid } = await home.start('clock', ['sh', '-c', script], '--ready', 'log:trapping', '--grace', '100ms');
    const stopper = home.spawnCli(['stop', 'clock', '--grace', '1m']);
    await waitFor('the phase', () => home.descriptor('clock').phase === 'stopping');
    stopper.kill('SIGKILL');
    await stopper.end();
    const next = await home.startSleeper('clock');
    expect(next.outcome).toBe('started');
    expect([isAlive(pid), isAlive(next.pid)]).toEqual([false, true]);
  });
});

describe.concurrent('a daemon that is killed', () => {
  test('is stale to status, and the next start brings up another (F42)', async ({ home }) => {
    const { pid } = await home.startSleeper('clock');
    process.kill(pid, 'SIGKILL');
    await home.cli(['wait', 'clock', '--for', 'stopped']);
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(1);
    const next = await home.startSleeper('clock');
    expect(next.outcome).toBe('started');
    expect((await home.cli(['status', 'clock'])).exitCode).toBe(0);
  });

  test('leaves children that the next start ends before it starts', async ({ home }) => {
    const { pid } = await home.start('clock', ['sh', '-c', 'sleep 1000 & echo up; wait'], '--ready', 'log:up');
    const children = home.processes().filter((seen) => seen.pid !== pid);
    process.kill(pid, 'SIGKILL');
    await home.cli(['wait', 'clock', '--for', 'stopped']);
    await home.startSleeper('clock');
    expect(children.map((seen) => isAlive(seen.pid))).toEqual([false]);
    expect(home.processes()).toHaveLength(1);
  });

  test('with a pinned socket leaves a file that the next instance replaces (F29)', async ({ home }) => {
    const server = [process.execPath, fixture('serves.mjs'), serveFile];
    const { pid, socket } = await home.start('clock', server, '--ready', 'socket', '--socket', 'pinned.sock');
    process.kill(pid, 'SIGKILL');
    await home.cli(['wait', 'clock', '--for', 'stopped']);
    expect(existsSync(socket)).toBe(true);
    const next = await home.start('clock', server, '--ready', 'socket', '--socket', 'pinned.sock');
    expect(next).toMatchObject({ outcome: 'started', socket });
  });
});

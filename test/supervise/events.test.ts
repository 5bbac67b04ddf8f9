import { describe, expect } from 'vitest';
import { type AnyJson, type TemporaryHome, test } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';
import { inPhase, killNow, longBackoff, nextRun, startKept } from './support/supervised.js';

/** Begins to watch, and returns once it does: by then it has looked at every daemon once. */
async function watch(home: TemporaryHome, ...names: string[]) {
  const program = home.spawnCli(['events', ...names]);
  const seen = () =>
    program.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line): AnyJson => JSON.parse(line));
  const until = (what: Record<string, unknown>) =>
    waitFor(
      () => `${JSON.stringify(what)} among ${program.stdout}`,
      () => seen().some((event) => Object.entries(what).every(([key, value]) => event[key] === value)),
    );
  if (names.length === 0) {
    // Whatever is told of a marker was begun after the first look.
    for (let round = 0; program.stdout === '' && !program.ended; round++) {
      home.forge(`marker-${round}`);
      await Promise.race([until({ name: `marker-${round}` }), nextLook()]).catch(() => {});
    }
  }
  return { program, seen, until };
}

/** Longer than from one look to the next. */
async function nextLook(): Promise<void> {
  const began = performance.now();
  await waitFor('the next look', () => performance.now() > began + 300);
}

describe.concurrent('events', () => {
  test('are a line of JSON for each start, crash, restart and stop', async ({ home }) => {
    const { program, seen, until } = await watch(home);
    const first = await startKept(home, 'clock');
    await until({ name: 'clock', to: 'running', phase: 'ready' });
    await killNow(first.pid);
    const second = await nextRun(home, 'clock', first);
    await waitFor('the restart', () => seen().filter(({ name, to }) => name === 'clock' && to === 'running').length >= 2);
    expect(second.phase).toBe('ready');
    await home.cli(['stop', 'clock']);
    await until({ name: 'clock', to: 'stopped', reason: 'no-descriptor' });
    program.kill('SIGINT');
    expect(await program.end()).toMatchObject({ exitCode: 0, stderr: '' });
    const told = seen().filter(({ name }) => name === 'clock');
    for (const event of told) {
      expect(Object.keys(event)).toEqual(['at', 'name', 'from', 'to', 'phase', 'reason']);
      expect(event.at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    }
    // From one to the next there is no gap.
    for (const [index, event] of told.entries()) expect(event.from).toBe(index === 0 ? 'stopped' : told[index - 1]?.to);
    expect(told.filter(({ to }) => to === 'running').length).toBeGreaterThanOrEqual(2);
    expect(told.at(-1)).toMatchObject({ to: 'stopped', phase: null });
  });

  test('tell of the back-off', async ({ home }) => {
    const first = await startKept(home, 'clock', ['sleep', '1000'], ...longBackoff);
    const { program, until } = await watch(home);
    await killNow(first.pid);
    await killNow((await nextRun(home, 'clock', first)).pid);
    await inPhase(home, 'clock', 'backoff');
    await until({ name: 'clock', to: 'stopped', phase: 'backoff', reason: 'awaiting-restart' });
    program.kill('SIGTERM');
    expect((await program.end()).exitCode).toBe(0);
  });

  test('tell of the named daemons only, of what changes only, and start nothing', async ({ home }) => {
    await home.startSleeper('clock');
    await home.startSleeper('other');
    const { program, seen, until } = await watch(home, 'clock');
    // Until it has begun to look, nothing is news to it.
    while (program.stdout === '') {
      await home.cli(['restart', 'clock']);
      await home.cli(['restart', 'other']);
      await nextLook();
    }
    await home.cli(['stop', 'clock']);
    await until({ name: 'clock', to: 'stopped' });
    program.kill('SIGINT');
    await program.end();
    expect(new Set(seen().map(({ name }) => name))).toEqual(new Set(['clock']));
  });

  test('end when whoever reads them has gone', async ({ home }) => {
    const { program } = await watch(home);
    program.child.stdout?.destroy();
    await waitFor('its end', async () => {
      home.forge(`more-${performance.now().toFixed()}`);
      return program.ended;
    });
    expect((await program.end()).exitCode).toBe(0);
  });
});

describe.concurrent('top', () => {
  test('shows as many pictures as it is asked for, with the tree of each daemon', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'sleep 1000 & echo up; wait'], '--ready', 'log:up');
    const end = await home.cli(['top', '--rounds', '2', '--interval', '20ms']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout.match(/^NAME +STATE +PID +UPTIME +RESTARTS +CPU +MEMORY$/gm)).toHaveLength(2);
    expect(end.stdout.match(/^clock +running +\d+ +\S+ +0 +[\d.]+% +[\d.]+[KM]B$/gm)).toHaveLength(2);
  });

  test('answers with the object of list, where JSON is asked for', async ({ home }) => {
    await home.start('clock', ['sh', '-c', 'sleep 1000 & echo up; wait'], '--ready', 'log:up');
    const end = await home.cli(['top', '--json']);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.json.daemons).toMatchObject([{ name: 'clock', status: 'running', restarts: 0, processes: 2 }]);
    expect(Object.keys(end.json.daemons[0])).toEqual(Object.keys((await home.cli(['list', '--json'])).json.daemons[0]));
  });

  test('of no daemons says so', async ({ home }) => {
    expect(await home.cli(['top', '--interval', '10ms'])).toMatchObject({ exitCode: 0, stdout: 'no daemons here\n' });
  });

  test('ends by Ctrl-C', async ({ home }) => {
    await home.startSleeper('clock');
    const program = home.spawnCli(['top', '--interval', '10ms', '--rounds', '1000000']);
    await program.says('NAME');
    program.kill('SIGINT');
    expect((await program.end()).exitCode).toBe(0);
  });
});

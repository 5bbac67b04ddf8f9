import { describe, expect, test } from 'vitest';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { createSimulation, exploreSeeds, type Simulation } from '../../src/app/testing/index.js';

const acme: DaemonOptions = { name: 'acme', command: 'acmed', ready: 'socket', version: '1.0.0' };

/** A daemon that takes a while to listen, and greets. */
function withAcme(simulation: Simulation): Simulation {
  return simulation.program('acmed', (self) => {
    self.print('here I am');
    self.after(simulation.random.next() * 20, () => {
      self.serve({
        version: '1.0.0',
        methods: {
          greet: (params) => `hello, ${(params as { name: string }).name}`,
          fail: () => Promise.reject(new Error('not today')),
          slow: () => new Promise(() => {}),
        },
      });
    });
  });
}

const leaders = (simulation: Simulation) => simulation.processes('acme').filter(({ isLeader }) => isLeader);

describe('a simulation of an embedder', () => {
  test('starts, asks, stops and restarts a daemon as a host program does', async () => {
    const simulation = withAcme(createSimulation());
    await simulation.run(async () => {
      const daemon = simulation.host().defineDaemon(acme);
      expect(await daemon.status()).toMatchObject({ status: 'stopped' });
      const connection = await daemon.connect();
      expect(await connection.request('greet', { name: 'you' })).toBe('hello, you');
      await expect(connection.request('no.such')).rejects.toMatchObject({ code: -32601 });
      await expect(connection.request('fail')).rejects.toMatchObject({ message: 'not today' });
      await expect(connection.request('slow', undefined, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'not-serving' });
      const { pid } = await daemon.ensure();
      expect(leaders(simulation)).toMatchObject([{ pid, name: 'acme' }]);
      const again = await daemon.restart();
      expect(again.pid).not.toBe(pid);
      expect(await daemon.logs()).toEqual(['here I am', 'here I am']);
      await expect(connection.request('greet', { name: 'you' })).rejects.toMatchObject({ code: 'not-serving' });
      expect(await daemon.stop()).toMatchObject({ outcome: 'stopped' });
      expect(simulation.processes()).toEqual([]);
    });
  });

  test('fails where a program does, at once or later', async () => {
    const programs = [
      () => {
        throw new Error('not today');
      },
      async () => {
        throw new Error('not today');
      },
    ];
    for (const program of programs) {
      const simulation = createSimulation().program('acmed', program);
      const run = simulation.run(async () => {
        await simulation.host().defineDaemon(acme).ensure();
      });
      await expect(run).rejects.toThrow('seed 1: not today');
    }
  });

  test('is played once, and says so', async () => {
    const simulation = createSimulation();
    await simulation.run(async () => {});
    await expect(simulation.run(async () => {})).rejects.toMatchObject({ code: 'unsupported' });
  });

  test('refuses what the library refuses', async () => {
    const simulation = withAcme(createSimulation());
    const host = simulation.host();
    for (const wrong of [null, 5, { ...acme, name: 5 }, { ...acme, args: 10n }, { ...acme, descriptor: null }]) {
      expect(() => host.defineDaemon(wrong as unknown as DaemonOptions)).toThrow(expect.objectContaining({ code: 'invalid-spec' }));
    }
    await simulation.run(async () => {
      const daemon = host.defineDaemon(acme);
      const wrong = { graceMs: 'x', timeoutMs: 'x', lines: 'x', signal: 5 } as never;
      const calls = [daemon.start(wrong), daemon.ensure(wrong), daemon.stop(wrong), daemon.restart(wrong), daemon.status(wrong)];
      for (const call of [...calls, daemon.logs(wrong), daemon.connect(wrong)])
        await expect(call).rejects.toMatchObject({ code: 'invalid-spec' });
    });
  });

  test('keeps a supervised daemon running, also after its supervisor was killed and a verb came', async () => {
    const simulation = withAcme(createSimulation());
    await simulation.run(async () => {
      const daemon = simulation.host().defineDaemon({ ...acme, restart: 'always' });
      const { pid } = await daemon.start();
      simulation.kill(pid);
      await simulation.pass(1_000);
      const [next] = leaders(simulation);
      expect(next?.pid).not.toBe(pid);
      const [supervisor] = simulation.processes('supervisor');
      simulation.kill(supervisor?.pid as number);
      expect(await daemon.status()).toMatchObject({ status: 'running', pid: next?.pid });
      await daemon.stop();
      expect(leaders(simulation)).toEqual([]);
    });
  });

  test('of two hosts that ensure at once, one of them killed at any of its calls, ends with one daemon at the most', async () => {
    await exploreSeeds(
      async (simulation) => {
        withAcme(simulation).always(() => {
          if (leaders(simulation).length > 1) throw new Error('two daemons');
        });
        const [first, second] = [simulation.host('first'), simulation.host('second')];
        first.killAt(1 + simulation.random.below(60));
        const [one, two] = await Promise.all([first, second].map((host) => host.attempt(() => host.defineDaemon(acme).ensure())));
        expect(['killed', 'returned']).toContain(one?.kind);
        expect(two).toMatchObject({ kind: 'returned' });
        expect(leaders(simulation)).toHaveLength(1);
      },
      { runs: 200 },
    );
  });

  test('is the same for the same seed, and another for another', async () => {
    const trace = async (seed: number) => {
      const lines: string[] = [];
      const simulation = withAcme(createSimulation({ seed, trace: (line) => lines.push(line) }));
      await simulation.run(async () => {
        const hosts = [simulation.host('one'), simulation.host('two')];
        await Promise.all(hosts.map((host) => host.attempt(() => host.defineDaemon(acme).ensure())));
      });
      return lines;
    };
    const first = await trace(1);
    expect(first.length).toBeGreaterThan(20);
    expect(await trace(1)).toEqual(first);
    expect(await trace(2)).not.toEqual(first);
  });

  test('replaces an older daemon once nobody is connected to it, where that is wished', async () => {
    const simulation = withAcme(createSimulation());
    await simulation.run(async () => {
      const connection = await simulation.host('old').defineDaemon(acme).connect();
      const newer = simulation.host('new').defineDaemon({ ...acme, version: '2.0.0', onMismatch: 'replace-if-newer-and-idle' });
      expect(await newer.ensure()).toMatchObject({ outcome: 'already-running', version: '1.0.0' });
      connection.close();
      expect(await newer.ensure()).toMatchObject({ outcome: 'replaced', version: '2.0.0' });
    });
  });

  test('that fails says for which seed', async () => {
    await expect(exploreSeeds(async ({ seed }) => expect(seed).toBeLessThan(3), { runs: 10 })).rejects.toThrow(/^seed 3: /);
  });

  test('in which everybody waits for nothing fails, where a real one would hang', async () => {
    const simulation = withAcme(createSimulation());
    const asking = simulation.run(async () => {
      const connection = await simulation.host().defineDaemon(acme).connect();
      await connection.request('slow');
    });
    await expect(asking).rejects.toThrow(/everybody waits/);
  });

  test('finds the bug of a host that looks first and starts then, by pid files of its own', async () => {
    /** What many a tool does: no lock between the look and the start. */
    const careless = async (simulation: Simulation) => {
      let pidFile: string | undefined;
      const start = async (name: string) => {
        const host = simulation.host(name);
        return host.attempt(async () => {
          await simulation.pass(simulation.random.next() * 10);
          if (pidFile === undefined) {
            // Each under a name of its own, as if there were no record of the other.
            await host.defineDaemon({ ...acme, name }).start();
            pidFile = name;
          }
        });
      };
      withAcme(simulation);
      await Promise.all([start('one'), start('two')]);
      expect(simulation.processes().filter(({ isLeader }) => isLeader)).toHaveLength(1);
    };
    await expect(exploreSeeds(careless)).rejects.toThrow(/^seed \d+: /);
  });

  test('survives a reboot with its records, and nobody runs', async () => {
    const simulation = withAcme(createSimulation());
    await simulation.run(async () => {
      const before = simulation.host('before');
      await before.attempt(() => before.defineDaemon(acme).ensure());
      simulation.reboot();
      expect(before.isAlive).toBe(false);
      expect(simulation.processes()).toEqual([]);
      const after = simulation.host('after').defineDaemon(acme);
      expect(await after.status()).toMatchObject({ status: 'stale' });
      expect(await after.ensure()).toMatchObject({ outcome: 'started' });
    });
  });
});

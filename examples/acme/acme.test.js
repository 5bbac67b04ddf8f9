// Real daemons from a pool, and races on a machine that is simulated.
import { DaemonPool, daemonFixtures, exploreSeeds } from 'daemonry/testing';
import { test as base, expect } from 'vitest';
import { acmeDaemon } from './daemon.js';

const daemons = {
  define: ({ home }) => acmeDaemon({ home, ownedBy: 'process' }),
  reset: async ({ daemon }) => {
    const connection = await daemon.connect();
    await connection.request('acme.reset');
    connection.close();
  },
};

const test = base.extend(daemonFixtures({ ...daemons, pooled: process.env.ACME_POOLED !== '0' }));

test.for(['you', 'them'])('greets %s first', async (name, { daemon }) => {
  const connection = await daemon.connect();
  expect(await connection.request('acme.greet', { name })).toBe(`hello, ${name}: you are number 1`);
  connection.close();
});

base('counts for everybody at once', async () => {
  const pool = new DaemonPool({ ...daemons, size: 1 });
  const { daemon } = await pool.acquire();
  const connections = await Promise.all([daemon.connect(), daemon.connect()]);
  await Promise.all(connections.map((connection) => connection.request('acme.greet', { name: 'you' })));
  expect(await daemon.logs()).toHaveLength(2);
  for (const connection of connections) connection.close();
  await pool.dispose();
});

base('ends with one daemon, however many run acme at once, and whichever of them is killed', () =>
  exploreSeeds(async (simulation) => {
    simulation.program('acmed', (self) => self.after(10, () => self.serve({ methods: { 'acme.greet': () => 'hello' } })));
    const users = ['one', 'two', 'three'].map((name) => simulation.host(name));
    users[0].killAt(1 + simulation.random.below(60));
    const greetings = users.map((user) =>
      user.attempt(async () => {
        const daemon = user.defineDaemon({ name: 'acmed', command: 'acmed', ready: 'socket' });
        return (await daemon.connect()).request('acme.greet');
      }),
    );
    const [, two, three] = await Promise.all(greetings);
    expect([two, three]).toEqual(Array(2).fill({ kind: 'returned', value: 'hello' }));
    expect(simulation.processes('acmed')).toHaveLength(1);
  }),
);

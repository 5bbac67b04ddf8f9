import type { Socket } from 'node:net';
import { type BaseContext, Cli, type CommandClass } from 'clipanion';
import { defineDaemon, isRpcError, runDaemonVerb } from 'daemonry';
import { daemonCommands } from 'daemonry/clipanion';
import { readCallerContext, type ServedConnection, type ServedDaemon, type StopReason, serveDaemon } from 'daemonry/serve';
import { type DaemonFixtures, DaemonPool, daemonFixtures, exploreSeeds, type PooledDaemon, type Simulation } from 'daemonry/testing';
import { test as base, expectTypeOf } from 'vitest';

const daemon = defineDaemon({ name: 'acme', command: 'acmed' });

// daemonry/serve
const served = serveDaemon({
  version: '2.1.0',
  idle: '30m',
  methods: {
    'acme.greet': (params, connection) => {
      expectTypeOf(params).toBeUnknown();
      expectTypeOf(connection).toEqualTypeOf<ServedConnection>();
    },
    'acme.build': (params) => readCallerContext(params, { env: ['ACME_TOKEN'] }).cwd,
  },
  onConnection: (connection) => expectTypeOf(connection.socket).toEqualTypeOf<Socket>(),
  onStop: (reason) => expectTypeOf(reason).toEqualTypeOf<StopReason>(),
});
expectTypeOf(served).resolves.toEqualTypeOf<ServedDaemon>();
// @ts-expect-error methods are functions
void serveDaemon({ methods: { 'acme.version': '2.1.0' } });
// @ts-expect-error by name, not one that knows all names
void serveDaemon({ methods: (name: string) => name });

// daemonry/clipanion: commands of the host's own context
interface AcmeContext extends BaseContext {
  readonly account: string;
}
const cli = new Cli<AcmeContext>({ binaryName: 'acme' });
for (const command of daemonCommands<AcmeContext>(daemon, { path: ['service'] })) cli.register(command);
expectTypeOf(daemonCommands(daemon)).toEqualTypeOf<CommandClass<BaseContext>[]>();
expectTypeOf(runDaemonVerb(daemon, ['status', '--json'], { program: 'acme' })).resolves.toBeNumber();

// daemonry/testing
const pool = new DaemonPool({ define: ({ home }) => defineDaemon({ name: 'acme', command: 'acmed', home }), size: 2 });
expectTypeOf(pool.acquire()).resolves.toEqualTypeOf<PooledDaemon>();
// @ts-expect-error a pool has to know what to start
new DaemonPool({ size: 2 });
const test = base.extend<DaemonFixtures>(daemonFixtures({ define: () => daemon, pooled: false }));
test.skip('fixtures are typed', ({ daemon: ours, lease }) => {
  expectTypeOf(ours).toEqualTypeOf(daemon);
  expectTypeOf(lease).toEqualTypeOf<PooledDaemon>();
});
void exploreSeeds(async (simulation) => expectTypeOf(simulation).toEqualTypeOf<Simulation>(), { runs: 1 });

declare const thrown: unknown;
if (isRpcError(thrown)) expectTypeOf(thrown.code).toBeNumber();

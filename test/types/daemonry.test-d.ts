import type { Socket } from 'node:net';
import {
  type Connection,
  callerContext,
  createSupervisor,
  DaemonError,
  type DaemonErrorCode,
  type DaemonStatus,
  defineDaemon,
  isDaemonError,
  type RunningDaemon,
  type StopResult,
} from 'daemonry';
import { expectTypeOf } from 'vitest';

const daemon = defineDaemon({ name: 'acme', command: process.execPath, args: ['acmed.js'], version: '2.1.0' });

// Ends that are expected are values: whoever asks for another one is told so.
expectTypeOf(daemon.ensure).returns.resolves.toEqualTypeOf<RunningDaemon>();
expectTypeOf<RunningDaemon['outcome']>().toEqualTypeOf<'started' | 'already-running' | 'starting' | 'replaced'>();
expectTypeOf<RunningDaemon['socket']>().toEqualTypeOf<string | null>();
expectTypeOf<StopResult['outcome']>().toEqualTypeOf<'stopped' | 'killed' | 'already-stopped' | 'stale-cleaned'>();
expectTypeOf<DaemonStatus['status']>().toEqualTypeOf<'running' | 'stopped' | 'stale' | 'unknown'>();
expectTypeOf<DaemonStatus['phase']>().toEqualTypeOf<'starting' | 'ready' | 'stopping' | 'backoff' | 'failed' | null>();
expectTypeOf(daemon.stop({ graceMs: 5_000, signal: AbortSignal.timeout(1) })).resolves.toEqualTypeOf<StopResult>();
expectTypeOf(daemon.status()).resolves.toEqualTypeOf<DaemonStatus>();
expectTypeOf(daemon.restart()).resolves.toEqualTypeOf<RunningDaemon>();

// A connection after the handshake, or the bare socket: by the option, not by a cast.
expectTypeOf(daemon.connect()).resolves.toEqualTypeOf<Connection>();
expectTypeOf(daemon.connect({ timeoutMs: 1 })).resolves.toEqualTypeOf<Connection>();
expectTypeOf(daemon.connect({ raw: true })).resolves.toEqualTypeOf<Socket>();
expectTypeOf(daemon.connect({ raw: true, opening: 'PING\r\n' })).resolves.toEqualTypeOf<Socket>();
// @ts-expect-error what is said first is said on the bare socket only
void daemon.connect({ opening: 'PING\r\n' });

// Lines that are there, or one after the other as they come.
expectTypeOf(daemon.logs({ lines: 1, since: new Date() })).resolves.toEqualTypeOf<readonly string[]>();
expectTypeOf(daemon.logs({ follow: true })).toEqualTypeOf<AsyncIterable<string>>();

// An answer is whatever the daemon says: its caller has to look.
declare const connection: Connection;
expectTypeOf(connection.request('acme.greet', { name: 'you' })).resolves.toBeUnknown();
expectTypeOf(connection.hello.protocol).toBeNumber();

// Options that can't be meant.
const acme = { name: 'acme', command: 'acmed' };
// @ts-expect-error there is nothing without a command
defineDaemon({ name: 'acme' });
// @ts-expect-error graceMs, in milliseconds
defineDaemon({ ...acme, grace: '10s' });
// @ts-expect-error a list, which no shell splits
defineDaemon({ ...acme, args: '--fast' });
// @ts-expect-error never, on-failure or always
defineDaemon({ ...acme, restart: 'sometimes' });
// @ts-expect-error one of five
defineDaemon({ ...acme, onMismatch: 'ask' });
// @ts-expect-error connection, process or { pid }
defineDaemon({ ...acme, ownedBy: 'nobody' });
defineDaemon({ ...acme, onMismatch: 'replace-if-newer-and-idle', ownedBy: { pid: 4711 }, protocol: { min: 1, max: 2 } });
defineDaemon({ ...acme, env: 'inherit', cwd: null, health: { probe: 'ping' }, restart: 'always' });
defineDaemon({ ...acme, env: ['LANG'], home: undefined });

// A failure is known by its code, of which there are so many and no more.
try {
  await daemon.ensure();
} catch (error) {
  if (isDaemonError(error)) {
    expectTypeOf(error).toEqualTypeOf<DaemonError>();
    expectTypeOf(error.code).toEqualTypeOf<DaemonErrorCode>();
    expectTypeOf(error.facts.logTail).toBeUnknown();
    // @ts-expect-error there is no such code
    if (error.code === 'went-wrong') throw error;
  }
}
// @ts-expect-error nor can one be made
void new DaemonError('went-wrong', '');

// A supervisor says itself where its daemons are kept.
const supervisor = createSupervisor({ home: '/var/lib/acme', onEvent: ({ name, message }) => `${name}: ${message}` });
expectTypeOf(supervisor.names).toEqualTypeOf<readonly string[]>();
expectTypeOf(supervisor.start({ ...acme, restart: 'always' })).resolves.toEqualTypeOf<RunningDaemon>();
// @ts-expect-error not each daemon
void supervisor.start({ ...acme, restart: 'always', home: '/elsewhere' });

expectTypeOf(callerContext({ env: ['ACME_TOKEN'] })).toEqualTypeOf<{
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}>();

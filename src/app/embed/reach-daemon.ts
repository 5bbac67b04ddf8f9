import type { Socket } from 'node:net';
import { isRpcError, rpcCodes } from '../../adapters/net/rpc-error.js';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import type { Owner } from '../../domain/owner.js';
import type { Clock } from '../../domain/ports.js';
import type { ProtocolRange } from '../../domain/protocol-range.js';
import type { StartResult } from '../../domain/start-daemon.js';
import { type Connection, openConnection } from './connection.js';
import { openRaw } from './open-raw.js';

export interface Reach {
  readonly name: string;
  readonly clock: Clock;
  /** Has it run; called again and again. */
  readonly ensure: () => Promise<StartResult>;
  /** From when it runs. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The running instance that is to be talked to. */
export interface Target {
  readonly socket: string;
  readonly instanceId: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether this call has started it. */
  readonly isOurs: boolean;
}

const pollMs = 10;

/** Opens what is wanted of a daemon's socket; what fails with `not-serving` is tried until the time is over. */
export async function reachDaemon<T>(reach: Reach, open: (target: Target) => Promise<T>): Promise<T> {
  const { name, clock, timeoutMs, signal } = reach;
  const instances = new Set<string>();
  const ours = new Set<string>();
  let deadline: number | undefined;
  for (;;) {
    const { outcome, descriptor } = await reach.ensure();
    const { socket, instanceId } = descriptor;
    if (outcome === 'started' || outcome === 'replaced') ours.add(instanceId);
    deadline ??= clock.monotonicMs() + timeoutMs;
    const leftMs = deadline - clock.monotonicMs();
    // One that ended between the two, as an idle one may, is started once more; no more often.
    if (socket === null || leftMs <= 0 || instances.add(instanceId).size > 2) throw notServing(name, timeoutMs);
    try {
      return await open({ socket, instanceId, timeoutMs: leftMs, signal, isOurs: ours.has(instanceId) });
    } catch (error) {
      // It may run and not listen yet: with `exec` for readiness nobody has waited for that.
      if (!isDaemonError(error) || error.code !== 'not-serving') throw error;
      await clock.sleep(pollMs, signal);
    }
  }
}

/**
 * A connection after the handshake, which holds the daemon for its owner. One that was there already, and knows of no owners, is
 * there to stay, and used as it is. Throws `unsupported` where we have started it.
 */
export function handshake(name: string, speaks: ProtocolRange | undefined, owner: Owner | undefined) {
  return async (target: Target): Promise<Connection> => {
    const { socket, instanceId, timeoutMs, signal, isOurs } = target;
    const connection = await openConnection(socket, { instanceId, timeoutMs, signal, speaks });
    if (owner === undefined) return connection;
    try {
      await connection.request('system.lease', owner === 'connection' ? undefined : { owner }, { timeoutMs, signal });
      return connection;
    } catch (error) {
      const isUnknown = isRpcError(error) && error.code === rpcCodes.methodNotFound;
      if (isUnknown && !isOurs) return connection;
      connection.close();
      throw isUnknown ? unownable(name, error) : error;
    }
  };
}

/** The socket itself. What may be said twice is said twice, and no more often. */
export function bareSocket(name: string, opening: string | Uint8Array | undefined) {
  let resets = 0;
  return async ({ socket, timeoutMs, signal }: Target): Promise<Socket> => {
    try {
      return await openRaw(socket, { timeoutMs, signal, opening });
    } catch (error) {
      if (!isDaemonError(error) || error.facts.reason !== 'reset' || ++resets < 2) throw error;
      throw new DaemonError('protocol-error', `${name} has ended the connection twice without an answer`, error.facts, error);
    }
  };
}

function notServing(name: string, timeoutMs: number): DaemonError {
  return new DaemonError('not-serving', `${name} runs, but did not answer on its socket within ${timeoutMs} ms`, { name });
}

export function unownable(name: string, cause: unknown): DaemonError {
  const message = `${name} can't be owned: only a daemon on serveDaemon leaves with its owner`;
  return new DaemonError('unsupported', message, { name, option: 'ownedBy' }, cause);
}

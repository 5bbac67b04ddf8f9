import type { ControlChannel, HelloOutcome, OccupationOutcome, ReloadOutcome } from '../../domain/ports.js';
import { monotonicMs } from '../monotonic-ms.js';
import { connectSocket, leaveGently } from './connect-socket.js';
import { parseHello } from './hello.js';
import { isRpcError, rpcCodes } from './rpc-error.js';
import type { RpcPeer } from './rpc-peer.js';

/** Others who only ask, as we do, are connected for some milliseconds; whoever uses the daemon is so for longer. */
const mostOccupationAsks = 5;
const occupationPauseMs = 20;

/** Asks within what is left of the time. */
type Ask = (method: string) => Promise<unknown>;

/** Asks a daemon over its socket. Whatever the peer does, every question has an answer in time, and no handle stays open. */
export class JsonRpcControlChannel implements ControlChannel {
  async hello(socket: string, timeoutMs: number): Promise<HelloOutcome> {
    return converse<HelloOutcome>(socket, timeoutMs, async (ask) => {
      const hello = parseHello(await ask('system.hello'));
      return hello === undefined ? { kind: 'other' } : { kind: 'hello', ...hello };
    });
  }

  async shutdown(socket: string, instanceId: string, timeoutMs: number): Promise<boolean> {
    // On one connection, so that who is asked to end is who has proven itself.
    const outcome = await converse<{ kind: 'agreed' | 'other' }>(socket, timeoutMs, async (ask) => {
      const hello = parseHello(await ask('system.hello'));
      if (hello?.instanceId !== instanceId) return { kind: 'other' };
      return { kind: (await ask('system.shutdown')) === false ? 'other' : 'agreed' };
    });
    return outcome.kind === 'agreed';
  }

  async occupation(socket: string, instanceId: string, timeoutMs: number): Promise<OccupationOutcome> {
    const outcome = await converse<{ kind: 'idle' | 'busy' | 'other' }>(socket, timeoutMs, async (ask) => {
      const hello = parseHello(await ask('system.hello'));
      if (hello?.instanceId !== instanceId) return { kind: 'other' };
      for (let asked = 1; ; asked++) {
        const kind = occupationFrom(await ask('system.status'));
        if (kind !== 'connected') return { kind };
        if (asked === mostOccupationAsks) return { kind: 'busy' };
        await new Promise((resolve) => setTimeout(resolve, occupationPauseMs));
      }
    });
    return outcome.kind === 'denied' ? 'other' : outcome.kind;
  }

  async reload(socket: string, instanceId: string, timeoutMs: number): Promise<ReloadOutcome> {
    const outcome = await converse<{ kind: 'answered'; answer: ReloadOutcome }>(socket, timeoutMs, async (ask) => {
      const hello = parseHello(await ask('system.hello'));
      return { kind: 'answered', answer: hello?.instanceId === instanceId ? await askToReload(ask) : 'not-served' };
    });
    return outcome.kind === 'answered' ? outcome.answer : 'not-served';
  }
}

function occupationFrom(status: unknown): 'idle' | 'busy' | 'other' | 'connected' {
  const { connections, busy } = (status ?? {}) as { connections?: unknown; busy?: unknown };
  if (busy === true) return 'busy';
  if (!Number.isSafeInteger(connections)) return 'other';
  // One of them is ours.
  return (connections as number) > 1 ? 'connected' : 'idle';
}

async function askToReload(ask: Ask): Promise<ReloadOutcome> {
  try {
    return (await ask('system.reload')) === false ? 'not-served' : 'reloaded';
  } catch (error) {
    // It knows the method: what else it answers with is its own failure.
    if (isRpcError(error) && error.code !== rpcCodes.methodNotFound) return { failed: error.message };
    throw error;
  }
}

type Unanswered = { kind: 'nobody' | 'denied' | 'other' };

/** One conversation, on one connection, within the time. */
export async function converse<T>(path: string, timeoutMs: number, talk: (ask: Ask) => Promise<T>): Promise<T | Unanswered> {
  const deadline = monotonicMs() + timeoutMs;
  const reached = await connectSocket({ path }, timeoutMs);
  if (reached.kind !== 'connected') return { kind: reached.kind };
  try {
    // Loaded here, since most commands never ask anybody. It may be gone by now: then nobody can be asked.
    const { RpcPeer } = await import('./rpc-peer.js');
    const peer: RpcPeer = new RpcPeer(reached.socket, { onInvalid: 'close' });
    return await talk((method) => peer.request(method, undefined, { timeoutMs: Math.max(0, deadline - monotonicMs()) }));
  } catch {
    return { kind: 'other' };
  } finally {
    void leaveGently(reached.socket);
  }
}

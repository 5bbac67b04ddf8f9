import { DaemonError, type DaemonErrorCode, isDaemonError } from '../../domain/daemon-error.js';
import type { DelegatedVerb, SupervisorChannel } from '../../domain/delegate.js';
import type { Environment } from '../../domain/ports.js';
import type { StartRequest, StartResult } from '../../domain/start-daemon.js';
import { inherited } from '../files/daemon-environment.js';
import { connectSocket } from './connect-socket.js';
import { isRpcError, rpcCodes } from './rpc-error.js';
import type { RpcPeer } from './rpc-peer.js';

const connectTimeoutMs = 5_000;
/** It answers this at once, whatever else it is about, unless it hangs or is suspended. */
const helloTimeoutMs = 15_000;

/** Asks a supervisor over its socket, and hands it the environment that the daemon is to inherit from us. */
export class JsonRpcSupervisorChannel implements SupervisorChannel {
  constructor(private readonly env: Environment) {}

  async perform(socket: string, verb: DelegatedVerb, request: StartRequest): Promise<StartResult> {
    const reached = await connectSocket({ path: socket }, connectTimeoutMs, request.signal);
    if (reached.kind !== 'connected') throw new DaemonError('not-serving', 'the supervisor does not answer', { name: 'supervisor' });
    const { RpcPeer } = await import('./rpc-peer.js');
    const peer: RpcPeer = new RpcPeer(reached.socket, { onInvalid: 'close' });
    try {
      await askWhetherItLives(peer, request.signal);
      const { ref, spec, force, graceMs, onMismatch } = request as StartRequest & { graceMs?: number; onMismatch?: string };
      // No more than it gets: a message has its bounds. What is remembered is for the supervisor to read.
      const environment = inherited(spec ?? { cleanEnv: false, passEnv: [] }, request.environment ?? this.env);
      const params = { verb, request: { ref, spec, force, graceMs, onMismatch, environment } };
      return readAnswer(await peer.request('supervisor.perform', params, { signal: request.signal }), request);
    } catch (error) {
      throw isDaemonError(error) ? error : asDaemonError(error);
    } finally {
      peer.finish();
    }
  }
}

/** A start may take as long as its spec says; whoever does it must be awake. */
async function askWhetherItLives(peer: RpcPeer, signal: AbortSignal | undefined): Promise<void> {
  try {
    await peer.request('system.hello', undefined, { timeoutMs: helloTimeoutMs, signal });
  } catch (error) {
    if (!isDaemonError(error) || error.facts.reason !== 'timeout') throw error;
    throw new DaemonError(
      'supervisor-hangs',
      `the supervisor runs, but has not answered within ${helloTimeoutMs} ms`,
      { name: 'supervisor' },
      error,
    );
  }
}

function readAnswer(answer: unknown, { onLaunched }: StartRequest): StartResult {
  const { done, failed } = (answer ?? {}) as {
    done?: Pick<StartResult, 'outcome' | 'descriptor' | 'path' | 'differs'>;
    failed?: { code: DaemonErrorCode; message: string; facts: Record<string, unknown> };
  };
  if (failed) throw new DaemonError(failed.code, failed.message, failed.facts);
  if (!done) throw new DaemonError('protocol-error', 'the supervisor answers something else than it was asked', { name: 'supervisor' });
  if (done.outcome !== 'already-running') onLaunched?.(done.descriptor);
  return { ...done, end: () => undefined };
}

/** Whose message is too long says so before it is sent. */
function asDaemonError(error: unknown): DaemonError {
  const { message } = error as Error;
  const isTooLong = isRpcError(error) && error.code === rpcCodes.internalError;
  if (isTooLong)
    return new DaemonError(
      'invalid-spec',
      `command and environment are too long for a supervised daemon: ${message}`,
      { allowed: 'a smaller environment, or --clean-env' },
      error,
    );
  return new DaemonError('protocol-error', `the supervisor failed: ${message}`, { name: 'supervisor' }, error);
}

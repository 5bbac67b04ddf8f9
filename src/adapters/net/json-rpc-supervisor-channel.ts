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

/** How many may share a connection: as many messages of the longest as a supervisor takes at a time. */
const mostOnOneLine = 16;

/** Asks a supervisor over its socket, and hands it the environment that the daemon is to inherit from us. */
export class JsonRpcSupervisorChannel implements SupervisorChannel {
  /** For what is asked in the same turn of the event loop, and can't be cancelled: a supervisor ends what it does for whoever hangs up. */
  private shared: Line | undefined;

  constructor(private readonly env: Environment) {}

  async perform(socket: string, verb: DelegatedVerb, request: StartRequest): Promise<StartResult> {
    try {
      const { ref, spec, force, graceMs, onMismatch } = request as StartRequest & { graceMs?: number; onMismatch?: string };
      // No more than it gets: a message has its bounds. What is remembered is for the supervisor to read.
      const environment = inherited(spec ?? { cleanEnv: false, passEnv: [] }, request.environment ?? this.env);
      const params = { verb, request: { ref, spec, force, graceMs, onMismatch, environment } };
      const line = request.signal ? new Line(socket, request.signal) : this.sharedLine(socket);
      return readAnswer(await line.ask(params, request.signal), request);
    } catch (error) {
      throw toldAs(error, verb, request.ref.name);
    }
  }

  private sharedLine(socket: string): Line {
    if (this.shared?.isOpenTo(socket)) return this.shared;
    const line = new Line(socket);
    this.shared = line;
    // Whether it lives is asked anew after that.
    setImmediate(() => {
      if (this.shared === line) this.shared = undefined;
    }).unref();
    return line;
  }
}

/** A connection to a supervisor that lives, for as long as anybody asks by it. */
class Line {
  private readonly peer: Promise<RpcPeer>;
  private asked = 0;
  private waiting = 0;

  constructor(
    private readonly socket: string,
    signal?: AbortSignal,
  ) {
    this.peer = reach(socket, signal);
  }

  isOpenTo(socket: string): boolean {
    return this.socket === socket && this.asked < mostOnOneLine && (this.asked === 0 || this.waiting > 0);
  }

  async ask(params: object, signal?: AbortSignal): Promise<unknown> {
    this.asked++;
    this.waiting++;
    const peer = await this.peer;
    try {
      return await peer.request('supervisor.perform', params, { signal });
    } finally {
      if (--this.waiting === 0) peer.finish();
    }
  }
}

async function reach(socket: string, signal: AbortSignal | undefined): Promise<RpcPeer> {
  const reached = await connectSocket({ path: socket }, connectTimeoutMs, signal);
  if (reached.kind !== 'connected') throw new DaemonError('not-serving', 'the supervisor does not answer', { name: 'supervisor' });
  const { RpcPeer } = await import('./rpc-peer.js');
  const peer: RpcPeer = new RpcPeer(reached.socket, { onInvalid: 'close' });
  try {
    await askWhetherItLives(peer, signal);
    return peer;
  } catch (error) {
    peer.finish();
    throw error;
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

/** As the verb fails that was asked for. */
function toldAs(error: unknown, verb: DelegatedVerb, name: string): DaemonError {
  if (!isDaemonError(error)) return asDaemonError(error);
  return error.code === 'cancelled' ? new DaemonError('cancelled', `the ${verb} of ${name} was cancelled`, { name }) : error;
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

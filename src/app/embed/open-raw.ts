import type { Socket } from 'node:net';
import { monotonicMs } from '../../adapters/monotonic-ms.js';
import { connectSocket } from '../../adapters/net/connect-socket.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { cancelled, unreached } from './unreached.js';

export interface OpenRawOptions {
  /** For connecting, and for the first byte of an answer. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** What is said first. Then it counts as connected once something is answered. */
  readonly opening?: string | Uint8Array | undefined;
}

/**
 * Connects to a daemon that speaks whatever it likes. The socket keeps no program alive by itself.
 *
 * Throws `DaemonError`: `not-serving` where nobody listens or answers in time, with `reason` `reset` where the connection ended before
 * the first byte of the answer; `not-permitted` with `errno`; `cancelled`.
 */
export async function openRaw(path: string, options: OpenRawOptions): Promise<Socket> {
  const { timeoutMs, signal, opening } = options;
  const deadline = monotonicMs() + timeoutMs;
  if (signal?.aborted) throw cancelled(path);
  const reached = await connectSocket({ path }, timeoutMs, signal);
  if (reached.kind !== 'connected') {
    if (signal?.aborted) throw cancelled(path);
    throw unreached(path, reached.kind, reached.errno);
  }
  const { socket } = reached;
  try {
    if (signal?.aborted) throw cancelled(path);
    if (opening !== undefined) await firstByte(socket, path, opening, deadline - monotonicMs(), signal);
    return socket.unref();
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Waits for it, and leaves it to be read. */
function firstByte(socket: Socket, path: string, opening: string | Uint8Array, leftMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: DaemonError) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      for (const event of ['end', 'close']) socket.removeListener(event, ended);
      socket.removeListener('readable', answered);
      if (error) reject(error);
      else resolve();
    };
    const answered = () => {
      if (socket.readableLength > 0) settle();
    };
    const ended = () => settle(unanswered(path, 'reset', 'the connection ended before an answer came'));
    const giveUp = () => settle(cancelled(path));
    const timer = setTimeout(() => settle(unanswered(path, 'timeout', 'no answer came in time')), Math.max(0, leftMs));
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.on('readable', answered).once('end', ended).once('close', ended);
    socket.write(opening);
  });
}

function unanswered(path: string, reason: 'reset' | 'timeout', what: string): DaemonError {
  return new DaemonError('not-serving', `${what}, at ${path}`, { path, reason });
}

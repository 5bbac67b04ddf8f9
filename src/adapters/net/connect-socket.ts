import { lstatSync } from 'node:fs';
import type { Socket } from 'node:net';
import { longestDurationMs } from '../../domain/quantity.js';
import { fitsSocketPath, isPipeName } from '../files/home.js';

/** A Unix socket or named pipe, or a TCP port of a host. */
export type SocketAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** `other`: somebody may be there, but could not be reached in time or at all. */
export type ConnectOutcome =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'nobody' | 'denied' | 'other'; readonly errno: string | null };

/**
 * Connects, within `timeoutMs`. Never throws; whatever is not handed out is closed. A socket that is handed out throws no
 * error either: what ends it shows as its 'close'.
 */
export async function connectSocket(address: SocketAddress, timeoutMs: number, signal?: AbortSignal): Promise<ConnectOutcome> {
  // libuv would cut a longer path off in silence, and reach another socket.
  if ('path' in address && (address.path === '' || !fitsSocketPath(address.path, process.platform))) return { kind: 'nobody', errno: null };
  if ('path' in address && isMissing(address.path)) return { kind: 'nobody', errno: 'ENOENT' };
  const { connect } = await import('node:net');
  if (signal?.aborted) return { kind: 'other', errno: null };
  let socket: Socket;
  try {
    socket = connect(address);
  } catch {
    return { kind: 'other', errno: null };
  }
  return new Promise((resolve) => {
    const settle = (outcome: ConnectOutcome) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      socket.removeListener('connect', connected);
      if (outcome.kind !== 'connected') socket.destroy();
      resolve(outcome);
    };
    const connected = () => settle({ kind: 'connected', socket });
    const failed = (error: NodeJS.ErrnoException) => settle({ kind: kindOf(error.code), errno: error.code ?? null });
    const giveUp = () => settle({ kind: 'other', errno: null });
    const timer = setTimeout(giveUp, Math.min(timeoutMs, longestDurationMs));
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.once('connect', connected).on('error', failed);
  });
}

/** Most daemons never listen, and loading `node:net` to be told so takes longer than all else that a verb asks of the system. */
function isMissing(path: string): boolean {
  if (isPipeName(path)) return false;
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    // Connecting tells why.
    return false;
  }
}

/** How long a peer may take to notice that it was left, and how much it may still say. */
const leaveMs = 1_000;
const maxLeaveBytes = 16 * 1024 * 1024;

/**
 * Closes without a shock: a peer that is still writing when its connection is torn down gets an error, which ends many a
 * program that never thought of one. So what it writes is read away until it closes too, or is late. Keeps no program
 * alive. Resolves when it is closed.
 */
export function leaveGently(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), leaveMs).unref();
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    let leftBytes = maxLeaveBytes;
    socket.on('data', (chunk: Buffer) => {
      leftBytes -= chunk.length;
      if (leftBytes < 0) socket.destroy();
    });
    socket.unref();
    socket.resume().end();
  });
}

function kindOf(errno: string | undefined): 'nobody' | 'denied' | 'other' {
  switch (errno) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return 'nobody';
    case 'EACCES':
    case 'EPERM':
      return 'denied';
    default:
      // EAGAIN, for one: a listener whose queue is full.
      return 'other';
  }
}

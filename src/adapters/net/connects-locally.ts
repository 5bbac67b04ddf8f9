import type { Socket } from 'node:net';
import { connectSocket, leaveGently, type SocketAddress } from './connect-socket.js';

/** Whether somebody listens on this port of 127.0.0.1 or ::1. */
export async function connectsLocally(port: number, timeoutMs: number): Promise<boolean> {
  const half = timeoutMs / 2;
  return (await connects({ host: '127.0.0.1', port }, half)) || connects({ host: '::1', port }, half);
}

/** Whether a connection is accepted within the time. */
export async function connects(address: SocketAddress, timeoutMs: number): Promise<boolean> {
  const reached = await connectSocket(address, timeoutMs);
  if (reached.kind !== 'connected') return false;
  const { socket } = reached;
  if (!isConnectedToItself(socket)) {
    void leaveGently(socket);
    return true;
  }
  // Reset, or the port would stay taken for a minute.
  socket.resetAndDestroy();
  return false;
}

/** TCP may choose the very port that is asked for as its own, and then meets itself where nobody listens. */
export function isConnectedToItself(socket: Socket): boolean {
  return socket.localPort !== undefined && socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

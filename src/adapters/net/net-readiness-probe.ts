import { statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { unreachable } from '../../domain/identity.js';
import type { Awaitable, ReadinessProbe, ReadySubject } from '../../domain/ports.js';
import type { ReadyCondition } from '../../domain/ready-condition.js';
import { connectSocket, leaveGently, type SocketAddress } from './connect-socket.js';
import { answersWell } from './http-probe.js';
import { LogProbe } from './log-probe.js';

/** How long one attempt may take, whatever it asks. */
const attemptTimeoutMs = 2_000;

/** Looks at the readiness evidence from outside. What can't be looked at isn't ready. */
export class NetReadinessProbe implements ReadinessProbe {
  readonly #hasExecuted: (pid: number) => Awaitable<boolean>;
  readonly #logs = new LogProbe();

  /** `hasExecuted`: whether this pid has executed its command, or is still the launch gate. The platform knows. */
  constructor(hasExecuted: (pid: number) => Awaitable<boolean>) {
    this.#hasExecuted = hasExecuted;
  }

  check(condition: ReadyCondition, subject: ReadySubject): Awaitable<boolean> {
    switch (condition.kind) {
      case 'exec':
        return this.#hasExecuted(subject.pid);
      case 'socket':
        return subject.socket !== null && connects({ path: subject.socket }, attemptTimeoutMs);
      case 'port':
        return connectsLocally(condition.port);
      case 'http':
        return answersWell(condition.url, attemptTimeoutMs);
      case 'log':
        return this.#logs.check(condition.pattern, subject);
      case 'notify':
        return subject.notifyFile !== null && holdsAnything(subject.notifyFile);
      default:
        return unreachable(condition);
    }
  }
}

async function connectsLocally(port: number): Promise<boolean> {
  const half = attemptTimeoutMs / 2;
  return (await connects({ host: '127.0.0.1', port }, half)) || connects({ host: '::1', port }, half);
}

async function connects(address: SocketAddress, timeoutMs: number): Promise<boolean> {
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

function holdsAnything(file: string): boolean {
  try {
    return statSync(file).size > 0;
  } catch {
    return false;
  }
}

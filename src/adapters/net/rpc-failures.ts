import { DaemonError } from '../../domain/daemon-error.js';

export function connectionClosed(): DaemonError {
  return new DaemonError('not-serving', 'the connection was closed', { reason: 'closed' });
}

export function unanswered(method: string, timeoutMs: number): DaemonError {
  return new DaemonError('not-serving', `no answer to ${method} within ${timeoutMs} ms`, { reason: 'timeout', method, timeoutMs });
}

export function brokenProtocol(reason: string): DaemonError {
  return new DaemonError('protocol-error', `the peer does not speak the control protocol: ${reason}`, { reason });
}

export function cancelled(method: string): DaemonError {
  return new DaemonError('cancelled', `the request ${method} was cancelled`, { method });
}

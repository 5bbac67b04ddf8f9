import { DaemonError } from '../../domain/daemon-error.js';

export function unreached(path: string, kind: 'nobody' | 'denied' | 'other', errno: string | null): DaemonError {
  if (kind === 'denied') return new DaemonError('not-permitted', `not permitted to connect to ${path}`, { path, errno });
  const what = kind === 'nobody' ? 'nobody listens' : 'nobody accepts connections';
  return new DaemonError('not-serving', `${what} at ${path}`, { path, errno });
}

export function cancelled(path: string): DaemonError {
  return new DaemonError('cancelled', `connecting to ${path} was cancelled`, { path });
}

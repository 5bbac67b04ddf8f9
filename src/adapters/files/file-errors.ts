import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';

export function errnoOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? 'UNKNOWN';
}

/** Names path and errno, with the code of the remedy: ask for permission, or mend the disk. */
export function fileFailure(error: unknown, path: string, doing: 'read' | 'write'): DaemonError {
  const errno = errnoOf(error);
  if (errno === 'ELOOP') return unsafe(path, 'it is a symbolic link');
  const code = errno === 'EACCES' || errno === 'EPERM' ? 'not-permitted' : 'unwritable';
  return new DaemonError(code, `can't ${doing} ${path}: ${errno}`, { path, errno }, error);
}

export function unsafe(path: string, why: string): DaemonError {
  return new DaemonError('unsafe-home', `refusing to use ${path}: ${why}`, { path, why });
}

/** Runs file work that must not fail for a reason unnamed. */
export function naming<T>(path: string, doing: 'read' | 'write', work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isDaemonError(error)) throw error;
    throw fileFailure(error, path, doing);
  }
}

import type { DaemonSpec } from '../../domain/daemon-spec.js';
import type { DaemonOptions } from './daemon-options.js';

/**
 * A hash of what makes another daemon of a definition: what is run, where, with what, and how it is found. How it is waited for
 * and stopped, its log sizes and the supervisor's own settings do not count: a running daemon is not worth ending over them. Nor
 * does the working folder of a caller that gives none, which is an accident; what is relative counts as it was written, for the
 * same reason.
 */
export function fingerprintOf(options: DaemonOptions, spec: DaemonSpec): string {
  const { command, cleanEnv, passEnv, restart, version } = spec;
  const env = Object.entries(spec.env).sort(([one], [other]) => (one < other ? -1 : 1));
  const { cwd, envFiles = [], socket = null, log = null } = options;
  const places = { cwd: cwd === undefined ? null : spec.cwd, envFiles, socket, log };
  const counted = {
    command,
    env,
    passEnv: [...passEnv].sort(),
    cleanEnv,
    restart,
    version,
  };
  return process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(JSON.stringify({ ...counted, ...places, ownedBy: ownerKind(options) }))
    .digest('hex');
}

/** Whose exactly is a matter of each start. */
function ownerKind({ ownedBy }: DaemonOptions): string | null {
  return typeof ownedBy === 'object' ? 'process' : (ownedBy ?? null);
}

import { DaemonError } from '../../domain/daemon-error.js';
import { type Owner, parseOwner } from '../../domain/owner.js';

/** Who this daemon is and where its files are, as its starter tells it through the environment. */
export interface OwnPlace {
  readonly name: string;
  readonly instanceId: string;
  readonly socket: string;
  readonly descriptor: string;
  /** Where readiness is announced, if anybody wants to know. */
  readonly notifyFd: number | null;
  readonly notifyFile: string | null;
  /** With whom it leaves; `null` where it stays. */
  readonly owner: Owner | null;
}

const required = ['DAEMONRY_NAME', 'DAEMONRY_INSTANCE', 'DAEMONRY_SOCKET', 'DAEMONRY_DESCRIPTOR'] as const;

/** Throws `not-a-daemon` with the names that are `missing`. */
export function readOwnPlace(env: NodeJS.ProcessEnv): OwnPlace {
  const missing = required.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new DaemonError('not-a-daemon', `not started by daemonry: ${missing.join(', ')} not set`, { missing });
  }
  const value = (name: (typeof required)[number]) => env[name] as string;
  return {
    name: value('DAEMONRY_NAME'),
    instanceId: value('DAEMONRY_INSTANCE'),
    socket: value('DAEMONRY_SOCKET'),
    descriptor: value('DAEMONRY_DESCRIPTOR'),
    notifyFd: readNumber(env.DAEMONRY_NOTIFY_FD),
    notifyFile: env.DAEMONRY_NOTIFY_FILE || null,
    // What can't be understood must not end a daemon.
    owner: parseOwner(env.DAEMONRY_OWNER ?? '') ?? null,
  };
}

function readNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

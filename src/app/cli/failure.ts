import { type DaemonError, type DaemonErrorCode, isDaemonError } from '../../domain/daemon-error.js';
import { formatDuration } from '../../domain/quantity.js';
import { isUsageError } from './invocation.js';

/** A failure as people and programs are told of it. */
export interface Failure {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  /** The next step to take. */
  readonly hint: string | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

type Facts = Readonly<Record<string, unknown>>;

interface Remedy {
  readonly exitCode: number;
  readonly hint: (facts: Facts) => string | null;
}

const says = (exitCode: number, hint: (facts: Facts) => string | null): Remedy => ({ exitCode, hint });

/** Exit code and next step for every code there is: a missing one does not compile. */
const remedies: Readonly<Record<DaemonErrorCode, Remedy>> = {
  'invalid-name': says(2, ({ allowed }) => String(allowed)),
  'invalid-spec': says(2, ({ allowed }) => (allowed === undefined ? 'see daemonry start --help' : String(allowed))),
  'invalid-project': says(2, ({ allowed }) => (allowed === undefined ? null : String(allowed))),
  'other-project': says(1, ({ allowed }) => String(allowed)),
  'no-remembered-spec': says(2, ({ name }) => `give one: daemonry start ${name} -- <command> [args…]`),
  'command-not-found': says(5, () => 'check its spelling and PATH'),
  'not-executable': says(4, ({ path }) =>
    path === undefined ? 'it may be made for another system' : `chmod +x ${path} may be what is missing`,
  ),
  'not-permitted': says(4, ({ uid }) => (uid === undefined ? 'ask as its owner' : `it belongs to uid ${uid}: ask as that user`)),
  'unsafe-home': says(4, () => 'choose another with --home or DAEMONRY_HOME, or mend its owner and mode'),
  unwritable: says(
    1,
    ({ errno, stream }) =>
      `${errno === 'ENOSPC' || errno === 'EDQUOT' ? 'free some space' : 'mend it'}, or ${stream === undefined ? 'choose another place with --home or DAEMONRY_HOME' : 'write to another file'}`,
  ),
  'unknown-daemon': says(1, ({ name, reason }) =>
    reason === 'newer-schema'
      ? `its record was written by a newer daemonry: use that one, or clear the record: daemonry start ${name} --force`
      : `ask where it was started, or clear the record: daemonry start ${name} --force, or daemonry doctor --fix`,
  ),
  'not-found': says(1, ({ allowed }) => (allowed === undefined ? 'daemonry list shows what is known' : String(allowed))),
  'not-running': says(1, ({ name }) => `daemonry start ${name} starts it`),
  'not-reloadable': says(1, ({ name }) => `daemonry restart ${name} starts it anew`),
  'reload-failed': says(1, ({ name }) => `daemonry logs ${name} may tell more`),
  'already-running': says(1, ({ name }) => `stop it first: daemonry stop ${name}`),
  'ended-before-ready': says(1, ({ log }) => `its log is ${log}`),
  'ended-badly': says(1, ({ name }) => `see daemonry logs ${name}`),
  'ready-timeout': says(124, ({ log }) => `see ${log}; --ready-timeout gives it longer, --on-timeout keep lets it go on`),
  'lock-timeout': says(124, () => 'try again; daemonry doctor tells who holds it'),
  'stop-timeout': says(124, () => 'it may hang in the kernel: try again later'),
  'wait-timeout': says(124, ({ name }) => `daemonry status ${name} and daemonry logs ${name} tell more`),
  'not-serving': says(1, ({ name }) => `it has to listen on DAEMONRY_SOCKET${name === undefined ? '' : `; see daemonry logs ${name}`}`),
  'supervisor-hangs': says(124, () => 'daemonry stop supervisor ends it, and its daemons run on; the next verb brings another'),
  'protocol-error': says(1, () => null),
  'socket-unusable': says(1, () => 'choose another path with --socket, or a shorter home'),
  'not-a-daemon': says(1, () => 'start it with daemonry start <name> -- <command>'),
  unsupported: says(1, () => null),
  cancelled: says(1, () => null),
};

/** Facts that the message says already, or that mean nothing outside. */
const unsaid = new Set(['allowed', 'why']);

export function describeFailure(error: unknown): Failure {
  if (isDaemonError(error)) return describeDaemonError(error);
  if (isUsageError(error))
    return { exitCode: 2, code: 'usage', message: error.message, hint: error.hint ?? 'see daemonry --help', facts: {} };
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: 1, code: 'internal', message: firstLine(message), hint: 'please report this', facts: {} };
}

function describeDaemonError({ code, message, facts }: DaemonError): Failure {
  const { exitCode, hint } = remedies[code];
  const kept = Object.fromEntries(Object.entries(facts).filter(([name]) => !unsaid.has(name)));
  return { exitCode, code, message: firstLine(humane(message)), hint: hint(facts), facts: kept };
}

/** Milliseconds are for programs. */
function humane(message: string): string {
  return message.replace(/\b(\d+) ms\b/g, (_, ms) => formatDuration(Number(ms)));
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}

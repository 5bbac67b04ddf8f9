import { type DaemonError, type DaemonErrorCode, isDaemonError } from '../../domain/daemon-error.js';
import { formatDuration } from '../../domain/quantity.js';
import { isUsageError } from './invocation.js';
import { daemonryWording, type Wording } from './wording.js';

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
  readonly hint: Hint;
}

type Hint = (facts: Facts, wording: Wording) => string | null;

const says = (exitCode: number, hint: Hint): Remedy => ({ exitCode, hint });

/** Exit code and next step for every code there is: a missing one does not compile. */
const remedies: Readonly<Record<DaemonErrorCode, Remedy>> = {
  'invalid-name': says(2, ({ allowed }) => String(allowed)),
  'invalid-spec': says(2, ({ allowed }, { hasAllVerbs }) =>
    allowed === undefined ? (hasAllVerbs ? 'see daemonry start --help' : null) : String(allowed),
  ),
  'invalid-project': says(2, ({ allowed }) => (allowed === undefined ? null : String(allowed))),
  'other-project': says(1, ({ allowed }) => String(allowed)),
  'no-remembered-spec': says(2, ({ name }, { command }) => `give one: ${command('start', name)} -- <command> [args…]`),
  'command-not-found': says(5, () => 'check its spelling and PATH'),
  'not-executable': says(4, ({ path }) =>
    path === undefined ? 'it may be made for another system' : `chmod +x ${path} may be what is missing`,
  ),
  'not-permitted': says(4, ({ uid }) => (uid === undefined ? 'ask as its owner' : `it belongs to uid ${uid}: ask as that user`)),
  'unsafe-home': says(
    4,
    (_, { hasAllVerbs }) => `${hasAllVerbs ? 'choose another with --home or DAEMONRY_HOME, or ' : ''}mend its owner and mode`,
  ),
  unwritable: says(1, ({ errno, stream }, { hasAllVerbs }) => {
    const mending = errno === 'ENOSPC' || errno === 'EDQUOT' ? 'free some space' : 'mend it';
    if (stream !== undefined) return `${mending}, or write to another file`;
    return hasAllVerbs ? `${mending}, or choose another place with --home or DAEMONRY_HOME` : mending;
  }),
  'unknown-daemon': says(1, ({ name, reason }, { command, hasAllVerbs }) =>
    reason === 'newer-schema'
      ? `its record was written by a newer ${hasAllVerbs ? 'daemonry' : 'version'}: use that one, or clear the record: ${command('start', name)} --force`
      : `ask where it was started, or clear the record: ${command('start', name)} --force${hasAllVerbs ? ', or daemonry doctor --fix' : ''}`,
  ),
  'not-found': says(1, ({ allowed, lost, name }, { command, hasAllVerbs }) => {
    if (allowed !== undefined) return String(allowed);
    if (lost === 'spec' && hasAllVerbs) return `${command('stop', name)}, then start it with its command`;
    return hasAllVerbs ? 'daemonry list shows what is known' : `${command('start', name)} starts it`;
  }),
  'not-running': says(1, ({ name }, { command }) => `${command('start', name)} starts it`),
  'not-reloadable': says(1, ({ name }, { command }) => `${command('restart', name)} starts it anew`),
  'reload-failed': says(1, ({ name }, { command }) => `${command('logs', name)} may tell more`),
  'already-running': says(1, ({ name }, { command }) => `stop it first: ${command('stop', name)}`),
  'ended-before-ready': says(1, ({ log }) => `its log is ${log}`),
  'ended-badly': says(1, ({ name }, { command }) => `see ${command('logs', name)}`),
  'ready-timeout': says(
    124,
    ({ log }, { hasAllVerbs }) => `see ${log}${hasAllVerbs ? '; --ready-timeout gives it longer, --on-timeout keep lets it go on' : ''}`,
  ),
  'lock-timeout': says(124, (_, { hasAllVerbs }) => `try again${hasAllVerbs ? '; daemonry doctor tells who holds it' : ''}`),
  'stop-timeout': says(124, () => 'it may hang in the kernel: try again later'),
  'wait-timeout': says(124, ({ name }, { command }) => `${command('status', name)} and ${command('logs', name)} tell more`),
  'version-mismatch': says(
    1,
    ({ name }, { command }) => `${command('restart', name)} has the one that is wanted, or update the program that asks`,
  ),
  'not-serving': says(
    1,
    ({ name }, { command }) => `it has to listen on DAEMONRY_SOCKET${name === undefined ? '' : `; see ${command('logs', name)}`}`,
  ),
  'supervisor-hangs': says(124, (_, { hasAllVerbs }) =>
    hasAllVerbs ? 'daemonry stop supervisor ends it, and its daemons run on; the next verb brings another' : 'try again later',
  ),
  'protocol-error': says(1, () => null),
  'socket-unusable': says(1, (_, { hasAllVerbs }) => (hasAllVerbs ? 'choose another path with --socket, or a shorter home' : null)),
  'not-a-daemon': says(1, (_, { hasAllVerbs }) => (hasAllVerbs ? 'start it with daemonry start <name> -- <command>' : null)),
  'no-service-manager': says(1, ({ allowed }) => (allowed === undefined ? null : String(allowed))),
  'autostart-failed': says(1, ({ allowed }, { hasAllVerbs }) => {
    if (allowed !== undefined) return String(allowed);
    return hasAllVerbs ? 'daemonry autostart status tells more' : null;
  }),
  unsupported: says(1, () => null),
  cancelled: says(1, () => null),
};

/** Facts that the message says already, or that mean nothing outside. */
const unsaid = new Set(['allowed', 'why']);

export function describeFailure(error: unknown, wording = daemonryWording): Failure {
  if (isDaemonError(error)) return describeDaemonError(error, wording);
  if (isUsageError(error))
    return {
      exitCode: 2,
      code: 'usage',
      message: error.message,
      hint: error.hint ?? (wording.hasAllVerbs ? 'see daemonry --help' : null),
      facts: {},
    };
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: 1, code: 'internal', message: firstLine(message), hint: 'please report this', facts: {} };
}

function describeDaemonError({ code, message, facts }: DaemonError, wording: Wording): Failure {
  const { exitCode, hint } = remedies[code];
  const kept = Object.fromEntries(Object.entries(facts).filter(([name]) => !unsaid.has(name)));
  return { exitCode, code, message: firstLine(humane(message)), hint: hint(facts, wording), facts: kept };
}

/** Milliseconds are for programs. */
export function humane(message: string): string {
  return message.replace(/\b(\d+) ms\b/g, (_, ms) => formatDuration(Number(ms)));
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}

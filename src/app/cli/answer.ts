import type { DaemonState, StateReason } from '../../domain/daemon-state.js';
import type { Phase } from '../../domain/descriptor.js';
import type { DaemonView } from '../../domain/look.js';
import type { StartResult } from '../../domain/start-daemon.js';
import type { StopResult } from '../../domain/stop-daemon.js';
import { daemonryWording, type Wording } from './wording.js';

/** What a verb has to say. Rendering and the exit code are made from it in one place. */
export interface Answer {
  /** The one JSON object, less its `schema`; `null` where the answer was a stream, and has been given. */
  readonly json: Readonly<Record<string, unknown>> | null;
  /** For people, on stdout. */
  readonly lines: readonly string[];
  /** For people, on stderr. */
  readonly warnings?: readonly string[];
  readonly exitCode: number;
}

/** How a daemon is, as far as it is shown: what the use cases say of it, and what the library does. */
export interface ShownStatus {
  readonly name: string;
  readonly status: DaemonState;
  readonly phase: Phase | null;
  /** `null` when stopped, as the socket and the instance are. */
  readonly pid: number | null;
  readonly socket: string | null;
  readonly instanceId: string | null;
  readonly descriptor: string;
  readonly reason: StateReason;
  /** What is wrong with a record that can't be read. */
  readonly detail?: string;
  /** It could not leave the job of its starter. */
  readonly isConfined?: boolean;
  /** It is to be restarted, and its supervisor has not yet noted that it ended. */
  readonly isEndUnnoted?: boolean;
}

export function shown({ place, reading, descriptor, state, phase, reason }: DaemonView): ShownStatus {
  const living = state === 'stopped' ? null : descriptor;
  return {
    name: place.name,
    status: state,
    phase,
    pid: living?.pid ?? null,
    socket: living?.socket ?? null,
    instanceId: living?.instanceId ?? null,
    descriptor: place.descriptor,
    reason,
    ...(reading.kind === 'corrupt' ? { detail: reading.reason } : {}),
    ...(descriptor?.confined ? { isConfined: true } : {}),
    ...(reason === 'awaiting-restart' && descriptor?.phase !== 'backoff' ? { isEndUnnoted: true } : {}),
  };
}

/** JSON of `status NAME`, and what each entry of `list` begins with. */
export function statusJson(view: ShownStatus, wording = daemonryWording): Record<string, unknown> {
  const { name, status, phase, pid, socket, descriptor, instanceId } = view;
  return { name, status, phase, pid, socket, descriptor, instanceId, reason: reasonOf(view), hint: hintOf(view, wording) };
}

/** One short line about how a daemon is. */
export function statusLine(view: ShownStatus, wording = daemonryWording): string {
  const { name, status, phase, pid, detail } = view;
  const hint = hintOf(view, wording);
  switch (status) {
    case 'running':
      return `${name} is running (pid ${pid}${phase === 'ready' ? '' : `, ${phase}`})`;
    case 'stopped':
      return `${name} is stopped${phase === null ? '' : ` (${reasonOf(view)})`}${hint === null ? '' : `: ${hint}`}`;
    default:
      return `${name} is ${status} (${reasonOf(view)}${detail === undefined ? '' : `: ${detail}`}): ${hint}`;
  }
}

export function statusAnswer(view: ShownStatus, wording = daemonryWording): Answer {
  return { json: statusJson(view, wording), lines: [statusLine(view, wording)], exitCode: statusExitCodes[view.status] };
}

/** The init-script standard. */
const statusExitCodes = { running: 0, stale: 1, stopped: 3, unknown: 4 } as const;

/** `null` where nothing needs explaining. */
function reasonOf({ status, reason }: ShownStatus): string | null {
  return status === 'running' || reason === 'no-descriptor' ? null : reason;
}

function hintOf({ name, status, reason, isConfined, isEndUnnoted }: ShownStatus, { command, hasAllVerbs }: Wording): string | null {
  if (status === 'stale' && isConfined) {
    const more = hasAllVerbs ? '; daemonry doctor, run from there, says more' : '';
    return `it may have ended with the program that started it, whose job it could not leave${more}`;
  }
  if (status === 'stale')
    return `${command('logs', name)} may tell why; ${command('start', name)} starts it again, ${command('stop', name)} clears the record`;
  if (reason === 'supervisor-gone') {
    const orAnother = hasAllVerbs ? ', as does the next verb that acts on any daemon here' : '';
    return `its supervisor is gone, and nobody restarts it: ${command('start', name)} does${orAnother}`;
  }
  if (isEndUnnoted) {
    const why = hasAllVerbs ? ': where that takes long, daemonry logs supervisor tells why, a full disk perhaps' : '';
    return `its supervisor has still to note its end${why}`;
  }
  if (reason === 'crash-loop') return `${command(hasAllVerbs ? 'why' : 'logs', name)} tells more; ${command('start', name)} tries again`;
  if (status !== 'unknown') return null;
  return reason === 'newer-schema'
    ? `its record was written by a newer ${hasAllVerbs ? 'daemonry' : 'version'}: use that one`
    : `ask where it was started, or clear the record with ${command('start', name)} --force${hasAllVerbs ? ' or daemonry doctor --fix' : ''}`;
}

/** A start, as far as it is shown. */
export interface ShownStart {
  readonly name: string;
  readonly outcome: StartResult['outcome'];
  readonly pid: number;
  readonly instanceId: string;
  readonly socket: string | null;
  readonly log: string;
  /** Absolute path. */
  readonly descriptor: string;
  /** In what a running daemon's spec differs from the one asked for. */
  readonly differs?: readonly string[];
  readonly confined?: true;
  /** What it is waited for. */
  readonly ready?: string;
}

export function shownStart({ outcome, descriptor, path, differs }: StartResult): ShownStart {
  const { name, pid, instanceId, socket, log, confined, ready } = descriptor;
  return { name, outcome, pid, instanceId, socket, log, descriptor: path, differs, ready, ...(confined ? { confined } : {}) };
}

/** JSON of `start` and `restart`. */
export function startJson({ differs = [], confined, ...start }: ShownStart): Record<string, unknown> {
  const { name, outcome, pid, instanceId, socket, log, descriptor } = start;
  return {
    name,
    outcome,
    status: 'running',
    pid,
    instanceId,
    socket,
    log,
    descriptor,
    ...(differs.length > 0 ? { differs } : {}),
    ...(confined ? { confined } : {}),
  };
}

export function startAnswer(start: ShownStart, verb: 'started' | 'restarted', wording = daemonryWording): Answer {
  const { name, outcome, pid, differs = [], confined, ready } = start;
  const said = {
    started: `${name} ${verb} (pid ${pid})`,
    'already-running': `${name} is already running (pid ${pid})`,
    replaced: `${name} ${verb} (pid ${pid})`,
    starting: `${name} is still starting (pid ${pid})${ready === undefined ? '' : `, not yet ready by ${ready}`}`,
  };
  const other = differs.length > 0 ? `; it was started with another ${differs.join(', ')}: ${wording.command('stop', name)} first` : '';
  const isRunningAlready = outcome === 'already-running';
  const warnings = [
    ...(isRunningAlready ? [`${name} is already running, nothing was changed${other}`] : []),
    ...(confined && !isRunningAlready ? [confinedWarning(name, wording)] : []),
  ];
  return { json: startJson(start), lines: [said[outcome]], warnings, exitCode: 0 };
}

function confinedWarning(name: string, { hasAllVerbs }: Wording): string {
  const more = hasAllVerbs ? ': see daemonry doctor' : '';
  return `${name} could not leave the job of the program that started it, and may end with it${more}`;
}

/** JSON of `stop NAME`. */
export function stopJson({ name, outcome, escaped, beyondReach }: StopResult): Record<string, unknown> {
  return { name, outcome, status: 'stopped', escaped, ...(beyondReach.length > 0 ? { beyondReach } : {}) };
}

export function stopLine({ name, outcome, pid, escaped, beyondReach }: StopResult): string {
  const said = {
    stopped: `${name} stopped (pid ${pid})`,
    killed: `${name} killed (pid ${pid}): it did not end within its grace`,
    'already-stopped': `${name} is already stopped`,
    'stale-cleaned': `${name} was stale, its record is cleared`,
  }[outcome];
  const also = escaped.length > 0 ? `; ended outside its process group too: pid ${escaped.join(', ')}` : '';
  const left = beyondReach.length > 0 ? `; left running, since it is another user's: pid ${beyondReach.join(', ')}` : '';
  return said + also + left;
}

export function stopAnswer(result: StopResult): Answer {
  return { json: stopJson(result), lines: [stopLine(result)], exitCode: 0 };
}

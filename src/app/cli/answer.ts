import type { DaemonView } from '../../domain/look.js';
import type { StartResult } from '../../domain/start-daemon.js';
import type { StopResult } from '../../domain/stop-daemon.js';

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

/** JSON of `status NAME`, and what each entry of `list` begins with. */
export function statusJson(view: DaemonView): Record<string, unknown> {
  const { place, descriptor, state, phase } = view;
  return {
    name: place.name,
    status: state,
    phase,
    pid: state === 'stopped' ? null : (descriptor?.pid ?? null),
    socket: state === 'stopped' ? null : (descriptor?.socket ?? null),
    descriptor: place.descriptor,
    instanceId: state === 'stopped' ? null : (descriptor?.instanceId ?? null),
    reason: reasonOf(view),
    hint: hintOf(view),
  };
}

/** One short line about how a daemon is. */
export function statusLine(view: DaemonView): string {
  const { place, descriptor, state, phase } = view;
  const detail = view.reading.kind === 'corrupt' ? `: ${view.reading.reason}` : '';
  switch (state) {
    case 'running':
      return `${place.name} is running (pid ${descriptor?.pid}${phase === 'ready' ? '' : `, ${phase}`})`;
    case 'stopped':
      return `${place.name} is stopped${phase === null ? '' : ` (${reasonOf(view)})`}${hintOf(view) === null ? '' : `: ${hintOf(view)}`}`;
    default:
      return `${place.name} is ${state} (${reasonOf(view)}${detail}): ${hintOf(view)}`;
  }
}

/** The init-script standard. */
export const statusExitCodes = { running: 0, stale: 1, stopped: 3, unknown: 4 } as const;

/** `null` where nothing needs explaining. */
function reasonOf(view: DaemonView): string | null {
  return view.state === 'running' || view.reason === 'no-descriptor' ? null : view.reason;
}

function hintOf({ place, descriptor, state, reason }: DaemonView): string | null {
  if (state === 'stale' && descriptor?.confined)
    return `it may have ended with the program that started it, whose job it could not leave; daemonry doctor, run from there, says more`;
  if (state === 'stale')
    return `daemonry logs ${place.name} may tell why; daemonry start ${place.name} starts it again, daemonry stop ${place.name} clears the record`;
  if (reason === 'supervisor-gone')
    return `its supervisor is gone, and nobody restarts it: daemonry start ${place.name} does, as does the next verb that acts on any daemon here`;
  if (reason === 'awaiting-restart' && descriptor?.phase !== 'backoff')
    return `its supervisor has still to note its end: where that takes long, daemonry logs supervisor tells why, a full disk perhaps`;
  if (reason === 'crash-loop') return `daemonry why ${place.name} tells more; daemonry start ${place.name} tries again`;
  if (state !== 'unknown') return null;
  return reason === 'newer-schema'
    ? 'its record was written by a newer daemonry: use that one'
    : `ask where it was started, or clear the record with daemonry start ${place.name} --force or daemonry doctor --fix`;
}

/** JSON of `start` and `restart`. */
export function startJson({ outcome, descriptor, path, differs }: StartResult): Record<string, unknown> {
  const { name, pid, instanceId, socket, log, confined } = descriptor;
  return {
    name,
    outcome,
    status: 'running',
    pid,
    instanceId,
    socket,
    log,
    descriptor: path,
    ...(differs.length > 0 ? { differs } : {}),
    ...(confined ? { confined } : {}),
  };
}

export function startAnswer(result: StartResult, verb: 'started' | 'restarted'): Answer {
  const { name, pid, ready } = result.descriptor;
  const said = {
    started: `${name} ${verb} (pid ${pid})`,
    'already-running': `${name} is already running (pid ${pid})`,
    replaced: `${name} ${verb} (pid ${pid})`,
    starting: `${name} is still starting (pid ${pid}), not yet ready by ${ready}`,
  };
  const differs =
    result.differs.length > 0 ? `; it was started with another ${result.differs.join(', ')}: daemonry stop ${name} first` : '';
  const isRunningAlready = result.outcome === 'already-running';
  const warnings = [
    ...(isRunningAlready ? [`${name} is already running, nothing was changed${differs}`] : []),
    ...(result.descriptor.confined && !isRunningAlready ? [confinedWarning(name)] : []),
  ];
  return { json: startJson(result), lines: [said[result.outcome]], warnings, exitCode: 0 };
}

function confinedWarning(name: string): string {
  return `${name} could not leave the job of the program that started it, and may end with it: see daemonry doctor`;
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

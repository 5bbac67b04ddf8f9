import { checkedFolderName } from '../../../domain/daemon-name.js';
import type { FormerRun } from '../../../domain/descriptor.js';
import { type DaemonView, lookClosely } from '../../../domain/look.js';
import type { Machine } from '../../../domain/ports.js';
import { formatDuration } from '../../../domain/quantity.js';
import { notFound } from '../../../domain/restart-daemon.js';
import type { RunRecord } from '../../../domain/run-record.js';
import { type Answer, shown, statusLine } from '../answer.js';
import { humane } from '../failure.js';
import type { Invocation } from '../invocation.js';
import type { VerbContext } from './context.js';

const defaultRuns = 5;
const mostRuns = 10_000;

/** How its last runs ended, and what was decided then. */
export async function why(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  const name = checkedFolderName(invocation.name);
  const view = await lookClosely(machine, { name });
  if (!view.place.known) throw notFound(name);
  const runs = await machine.runs.read({ name }, invocation.count('--runs', mostRuns) ?? defaultRuns);
  const unrecorded = await findUnrecorded(machine, view);
  const none = runs.length === 0 && unrecorded.length === 0 ? ['no run of it has ended yet'] : [];
  return {
    json: { name: view.place.name, runs, ...(unrecorded.length > 0 ? { unrecorded } : {}) },
    lines: [statusLine(shown(view)), ...none, ...unrecorded.map(tellUnrecorded), ...runs.flatMap(tell)],
    exitCode: 0,
  };
}

/** A run that is over by what the record says, and of which nobody took note. */
interface Unrecorded extends FormerRun {
  readonly why: 'could-not' | 'not-yet' | 'nobody-there';
}

async function findUnrecorded(machine: Machine, view: DaemonView): Promise<readonly Unrecorded[]> {
  const over = overBy(view);
  // Whoever is about it may be about to note it.
  if (over.length === 0 || (await machine.lock.holder({ name: view.place.name }))) return [];
  const recorded = new Set((await machine.runs.read({ name: view.place.name }, mostRuns)).map(({ instanceId }) => instanceId));
  return over.filter(({ instanceId }) => !recorded.has(instanceId));
}

function overBy({ descriptor, state, reason, phase }: DaemonView): readonly Unrecorded[] {
  if (descriptor === null || descriptor.intent) return [];
  const { instanceId, pid, startToken, former } = descriptor;
  if (state === 'stale') return [{ instanceId, pid, startToken, why: 'nobody-there' }];
  if (reason === 'awaiting-restart' && descriptor.phase !== 'backoff') return [{ instanceId, pid, startToken, why: 'not-yet' }];
  return former && phase === 'ready' ? [{ ...former, why: 'could-not' }] : [];
}

function tellUnrecorded({ pid, why }: Unrecorded): string {
  switch (why) {
    case 'nobody-there':
      return `pid ${pid} is gone, and nobody has noted yet how it ended`;
    case 'not-yet':
      return `pid ${pid} is gone, and its supervisor has not noted yet how it ended: daemonry logs supervisor tells what keeps it, a full disk perhaps`;
    case 'could-not':
      return `the run before this one (pid ${pid}) could not be noted: daemonry logs supervisor tells why, a full disk perhaps`;
  }
}

function tell(run: RunRecord): readonly string[] {
  const ranMs = Date.parse(run.endedAt) - Date.parse(run.startedAt);
  const ran = Number.isFinite(ranMs) ? ` after ${formatDuration(Math.max(ranMs, 0))}` : '';
  const head = `${run.endedAt}  pid ${run.pid} ${howItEnded(run)}${ran}: ${humane(run.decision)}`;
  return [head, ...run.logTail.map((line) => `  | ${line}`)];
}

function howItEnded({ cause, exitCode, signal }: RunRecord): string {
  const how = signal !== null ? ` (${signal})` : exitCode !== null ? ` (exit code ${exitCode})` : '';
  switch (cause) {
    case 'stop':
      return `was stopped${how}`;
    case 'exit':
      return `ended by itself${how}`;
    case 'crash':
      return `crashed${how}`;
    case 'oom':
      return `was killed by the kernel for want of memory${how}`;
    case 'crash-loop':
      return `crashed once too often${how}`;
    case 'unknown':
      return `ended, nobody knows how${how}`;
  }
}

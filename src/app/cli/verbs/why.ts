import { checkedFolderName } from '../../../domain/daemon-name.js';
import { lookClosely } from '../../../domain/look.js';
import { formatDuration } from '../../../domain/quantity.js';
import { notFound } from '../../../domain/restart-daemon.js';
import type { RunRecord } from '../../../domain/run-record.js';
import { type Answer, statusLine } from '../answer.js';
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
  const none = runs.length === 0 ? ['no run of it has ended yet'] : [];
  return {
    json: { name: view.place.name, runs },
    lines: [statusLine(view), ...none, ...runs.flatMap(tell)],
    exitCode: 0,
  };
}

function tell(run: RunRecord): readonly string[] {
  const ranMs = Date.parse(run.endedAt) - Date.parse(run.startedAt);
  const ran = Number.isFinite(ranMs) ? ` after ${formatDuration(Math.max(ranMs, 0))}` : '';
  const head = `${run.endedAt}  pid ${run.pid} ${howItEnded(run)}${ran}: ${run.decision}`;
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

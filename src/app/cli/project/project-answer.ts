import type { ProjectResult } from '../../../domain/project-result.js';
import { type Answer, shownStart, startJson, stopJson, stopLine } from '../answer.js';
import { describeFailure, type Failure } from '../failure.js';

const exitCodeCancelled = 1;

/** What came of each daemon; the exit code is the worst. `isTold`: its lines stand on the screen already. */
export function projectAnswer(results: readonly ProjectResult[], isTold: boolean): Answer {
  const failures = results.flatMap((result) => (result.kind === 'failed' ? describeFailure(result.error) : []));
  const cancelled = results.some(({ kind }) => kind === 'cancelled');
  return {
    json: { results: results.map(resultJson) },
    lines: isTold ? [] : results.length === 0 ? ['nothing to do'] : results.map(resultLine),
    warnings: [...failures.map(failureText), ...results.flatMap(differing), ...(cancelled ? [leftRunning(results)] : [])],
    exitCode: Math.max(cancelled ? exitCodeCancelled : 0, 0, ...failures.map(({ exitCode }) => exitCode)),
  };
}

export function resultJson(result: ProjectResult): Record<string, unknown> {
  const { name, outcome } = result;
  switch (result.kind) {
    case 'up':
      return { ...startJson(shownStart(result.start)), name, outcome };
    case 'down':
      return stopJson(result.stop);
    case 'exited':
      return { name, outcome, exitCode: result.exitCode };
    case 'kept':
      return { name, outcome, why: result.why };
    case 'skipped':
      return { name, outcome, because: result.because };
    case 'failed': {
      const { facts, code, message, hint } = describeFailure(result.error);
      return { name, outcome, error: { ...facts, code, message, hint } };
    }
    case 'cancelled':
      return { name, outcome };
  }
}

export function resultLine(result: ProjectResult): string {
  const { name } = result;
  switch (result.kind) {
    case 'up':
      return upLine(result);
    case 'down':
      return stopLine(result.stop);
    case 'exited':
      return `${name} ran to its end (exit code ${result.exitCode})`;
    case 'kept':
      return `${name} is left as it is: ${result.why}`;
    case 'skipped':
      return `${name} skipped: ${result.because}`;
    case 'failed':
      return `${name} failed: ${describeFailure(result.error).message}`;
    case 'cancelled':
      return `${name} cancelled`;
  }
}

function upLine({ name, outcome, start }: ProjectResult & { kind: 'up' }): string {
  const { pid, ready } = start.descriptor;
  switch (outcome) {
    case 'started':
    case 'replaced':
      return `${name} ${outcome} (pid ${pid})`;
    case 'already-running':
      return `${name} is already running (pid ${pid})`;
    case 'starting':
      return `${name} is still starting (pid ${pid}), not yet ready by ${ready}`;
  }
}

function failureText({ message, hint, facts }: Failure): string {
  const tail = Array.isArray(facts.logTail) ? (facts.logTail as string[]) : [];
  return [`${message}${hint === null ? '' : `; ${hint}`}`, ...tail.map((line) => `  | ${line}`)].join('\n');
}

function differing(result: ProjectResult): readonly string[] {
  if (result.kind !== 'up' || result.start.differs.length === 0) return [];
  return [`${result.name} runs with another ${result.start.differs.join(', ')} than its file says; daemonry apply replaces it`];
}

function leftRunning(results: readonly ProjectResult[]): string {
  const left = results.filter(({ kind }) => kind === 'up').map(({ name }) => name);
  return left.length === 0 ? 'cancelled' : `cancelled; left running: ${left.join(', ')}`;
}

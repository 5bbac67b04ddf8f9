/**
 * Why a run ended. `stop`: somebody asked for it. `exit`: by itself, as a success. `crash`: by itself, as a failure, or
 * because it was not well. `oom`: the kernel, for want of memory. `crash-loop`: a crash after which it is not started again.
 */
export type RunCause = 'stop' | 'exit' | 'crash' | 'oom' | 'crash-loop' | 'unknown';

/** One line of `runs.ndjson`: a run that has ended. Times are wall time, for people. */
export interface RunRecord {
  readonly instanceId: string;
  readonly pid: number;
  readonly startedAt: string;
  /** When its end was seen. */
  readonly endedAt: string;
  /** `null` where nobody learned of it: only its parent can. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly cause: RunCause;
  /** The last lines that it wrote. */
  readonly logTail: readonly string[];
  /** What was decided then, and why, in words. */
  readonly decision: string;
}

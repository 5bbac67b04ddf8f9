import type { StartResult } from './start-daemon.js';
import type { StopResult } from './stop-daemon.js';

/** What came of one daemon of a project. */
export type ProjectResult =
  | { readonly kind: 'up'; readonly name: string; readonly outcome: StartResult['outcome'] | 'replaced'; readonly start: StartResult }
  /** It ran to its end, which is what others waited for. */
  | { readonly kind: 'exited'; readonly name: string; readonly outcome: 'exited'; readonly exitCode: number | null }
  | { readonly kind: 'kept'; readonly name: string; readonly outcome: 'kept'; readonly why: string }
  | { readonly kind: 'down'; readonly name: string; readonly outcome: StopResult['outcome']; readonly stop: StopResult }
  | { readonly kind: 'failed'; readonly name: string; readonly outcome: 'failed'; readonly error: unknown }
  /** It was not touched. */
  | { readonly kind: 'skipped'; readonly name: string; readonly outcome: 'skipped'; readonly because: string }
  | { readonly kind: 'cancelled'; readonly name: string; readonly outcome: 'cancelled' };

/** What is being done with a daemon at the moment. */
export type ProjectActivity = 'waiting' | 'starting' | 'replacing' | 'stopping' | 'waiting until it is healthy' | 'waiting for its end';

export interface ProjectProgress {
  /** Told on each change: what is done now, or what came of it. */
  readonly onProgress?: ((name: string, now: ProjectActivity | ProjectResult) => void) | undefined;
}

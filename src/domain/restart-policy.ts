import { type DaemonSpec, specDefaults } from './daemon-spec.js';
import type { RestartHistory } from './descriptor.js';

/** How a run came to its end, as far as its supervisor knows. */
export type RunEnd =
  | { readonly kind: 'exited'; readonly exitCode: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** Its supervisor ended it, since it was not well. */
  | { readonly kind: 'unhealthy' }
  /** It could not be started again. */
  | { readonly kind: 'not-started'; readonly why: string }
  /** Nobody was there to learn of it, but it said itself that it ended well. */
  | { readonly kind: 'ended-cleanly' }
  | { readonly kind: 'unknown' };

export type RestartDecision =
  /** It may end like this. */
  | { readonly action: 'accept'; readonly why: string }
  | { readonly action: 'restart'; readonly delayMs: number; readonly history: RestartHistory; readonly why: string }
  /** A crash loop. */
  | { readonly action: 'give-up'; readonly history: RestartHistory; readonly why: string };

type Policy = Pick<
  DaemonSpec,
  'restart' | 'restartDelayMs' | 'restartMaxDelayMs' | 'restartLimit' | 'restartWindowMs' | 'stableMs' | 'successCodes'
>;

/** `undefined` where the longest delay is shorter than the first. Where only one of them is given, the other is no bound to it. */
export function restartDelays(
  delayMs: number | undefined,
  mostMs: number | undefined,
): Pick<DaemonSpec, 'restartDelayMs' | 'restartMaxDelayMs'> | undefined {
  const { restartDelayMs, restartMaxDelayMs } = specDefaults;
  if (delayMs !== undefined && mostMs !== undefined && mostMs < delayMs) return undefined;
  return {
    restartDelayMs: delayMs ?? Math.min(restartDelayMs, mostMs ?? restartDelayMs),
    restartMaxDelayMs: mostMs ?? Math.max(restartMaxDelayMs, delayMs ?? restartMaxDelayMs),
  };
}

export const freshHistory: RestartHistory = { restarts: 0, streak: 0, recentMs: [] };

/**
 * What becomes of a daemon that ended by itself. The first restart comes at once; each further one in a row waits twice as
 * long as the one before, less up to a half by chance, so that daemons that fell together don't come up together.
 *
 * `ranMs`: how long the run was. `luck`: from 0 to below 1.
 */
export function decideRestart(
  policy: Policy,
  history: RestartHistory,
  run: { readonly end: RunEnd; readonly ranMs: number },
  nowMs: number,
  luck: number,
): RestartDecision {
  if (policy.restart === 'never') return { action: 'accept', why: 'it is not to be restarted' };
  if (policy.restart === 'on-failure' && isSuccess(run.end, policy.successCodes)) {
    return { action: 'accept', why: 'that is no failure, and only failures are restarted' };
  }
  // A moment that is yet to come was read from another clock.
  const recentMs = history.recentMs.filter((atMs) => atMs <= nowMs && nowMs - atMs < policy.restartWindowMs);
  const streak = run.ranMs >= policy.stableMs ? 0 : history.streak;
  if (policy.restartLimit > 0 && recentMs.length >= policy.restartLimit) {
    return {
      action: 'give-up',
      history: { ...history, streak, recentMs },
      why: `it was restarted ${recentMs.length} times within ${policy.restartWindowMs} ms`,
    };
  }
  const delayMs = delayOf(policy, streak, luck);
  return {
    action: 'restart',
    delayMs,
    history: {
      restarts: history.restarts + 1,
      streak: streak + 1,
      recentMs: policy.restartLimit > 0 ? [...recentMs, Math.round(nowMs)] : [],
    },
    why: delayMs === 0 ? 'restarted at once' : `restarted after ${delayMs} ms, as number ${streak + 1} in a row`,
  };
}

/** How long the restart that `history` counts last has to wait, for whoever has to wait anew. */
export function delayOfLast(policy: Policy, { streak }: RestartHistory, luck: number): number {
  return delayOf(policy, Math.max(streak - 1, 0), luck);
}

export function isSuccess(end: RunEnd, successCodes: readonly number[]): boolean {
  return end.kind === 'ended-cleanly' || (end.kind === 'exited' && successCodes.includes(end.exitCode));
}

function delayOf(policy: Policy, streak: number, luck: number): number {
  if (streak === 0 || policy.restartDelayMs === 0) return 0;
  const wholeMs = Math.min(policy.restartDelayMs * 2 ** (streak - 1), policy.restartMaxDelayMs);
  return Math.round(wholeMs * (1 - luck / 2));
}

/** A draw for each run, out of what is random in it anyway. */
export function luckOf(instanceId: string): number {
  let hash = 0x811c_9dc5;
  // FNV-1a (Fowler, Noll, Vo).
  for (let index = 0; index < instanceId.length; index++) hash = Math.imul(hash ^ instanceId.charCodeAt(index), 0x0100_0193);
  return (hash >>> 0) / 2 ** 32;
}

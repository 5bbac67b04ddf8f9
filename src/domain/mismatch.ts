import type { DaemonSpec } from './daemon-spec.js';
import type { Descriptor } from './descriptor.js';
import { isNewerVersion } from './version.js';

/** How a running instance stands to the daemon that somebody wants. */
export type Match =
  | 'same'
  /** The wanted version is the newer one. */
  | 'outdated'
  /** Of the same version, and defined otherwise. */
  | 'drifted'
  /** The running version is the newer one. */
  | 'ahead'
  /** Of the same version, and once started in the place of what is wanted now. */
  | 'superseding'
  /** Their versions are in no order. */
  | 'unordered';

/** What `ensure` does about a running daemon that is not the one it was asked for. */
export type OnMismatch = 'replace-if-newer' | 'replace-if-newer-and-idle' | 'replace' | 'use' | 'fail';

/** What is done about it. */
export type Remedy = 'use' | 'replace' | 'replace-if-idle' | 'fail';

/**
 * Only ever upwards, and of two definitions of one version only ever to the one that came last: so that two installed copies of
 * a program never end each other's daemon in turn. Just `replace` goes both ways, for a program that has the name for itself.
 */
const remedies: Readonly<Record<OnMismatch, Readonly<Record<Match, Remedy>>>> = {
  'replace-if-newer': { same: 'use', outdated: 'replace', drifted: 'replace', ahead: 'use', superseding: 'use', unordered: 'use' },
  'replace-if-newer-and-idle': {
    same: 'use',
    outdated: 'replace-if-idle',
    drifted: 'replace-if-idle',
    ahead: 'use',
    superseding: 'use',
    unordered: 'use',
  },
  replace: { same: 'use', outdated: 'replace', drifted: 'replace', ahead: 'replace', superseding: 'replace', unordered: 'replace' },
  use: { same: 'use', outdated: 'use', drifted: 'use', ahead: 'use', superseding: 'use', unordered: 'use' },
  fail: { same: 'use', outdated: 'fail', drifted: 'fail', ahead: 'fail', superseding: 'fail', unordered: 'fail' },
};

export const onMismatchValues = Object.keys(remedies) as readonly OnMismatch[];
export const defaultOnMismatch: OnMismatch = 'replace-if-newer';

export function remedyFor(match: Match, onMismatch: OnMismatch = defaultOnMismatch): Remedy {
  return remedies[onMismatch][match];
}

export function matchOf(running: Pick<Descriptor, 'version' | 'fingerprint' | 'supersedes'>, wanted: DaemonSpec): Match {
  if (running.version !== wanted.version) return compareVersions(running.version, wanted.version);
  const { fingerprint } = wanted;
  // Who started it by hand, or by the first daemonry, left no fingerprint: of the same version is the same then.
  if (fingerprint === undefined || running.fingerprint === undefined || running.fingerprint === fingerprint) return 'same';
  return running.supersedes?.includes(fingerprint) ? 'superseding' : 'drifted';
}

function compareVersions(running: string | null, wanted: string | null): Match {
  if (running === null || wanted === null) return 'unordered';
  if (isNewerVersion(wanted, running)) return 'outdated';
  return isNewerVersion(running, wanted) ? 'ahead' : 'unordered';
}

/** More definitions of one version than this are not told apart. */
const mostSuperseded = 16;

/** The wanted definition, once it takes the place of another one of its version: that one does not come back by itself. */
export function inPlaceOf(wanted: DaemonSpec, replaced: Descriptor): DaemonSpec {
  const { supersedes: _, ...spec } = wanted;
  if (replaced.version !== wanted.version || replaced.fingerprint === undefined) return spec;
  const all = [replaced.fingerprint, ...(replaced.supersedes ?? [])].filter((one) => one !== wanted.fingerprint);
  return { ...spec, supersedes: [...new Set(all)].slice(0, mostSuperseded) };
}

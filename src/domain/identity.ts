/**
 * Which process exactly. A pid alone names a slot that the kernel hands out again; the start token tells the
 * occupants of that slot apart, the boot id and the pid namespace say in which world the slot is meant.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque, compared as text. Linux: field 22 of `/proc/<pid>/stat`, clock ticks since boot. macOS: `ps -o lstart=` in UTC. */
  readonly startToken: string;
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly timeNamespace: string;
  readonly host: string;
}

/** The world as the judging process sees it, and whether its home is known to be one container's own. */
export interface Vantage extends ProcessIdentity {
  readonly uid: number;
  /** `DAEMONRY_EXCLUSIVE_HOME=1`: a record of an earlier pid namespace of this host is dead, not foreign. */
  readonly exclusiveHome: boolean;
}

/** What the machine shows in one pid slot, at one moment. */
export type Observation =
  | {
      readonly kind: 'process';
      readonly startToken: string;
      readonly zombie: boolean;
      readonly uid: number;
      readonly processGroup: number;
      readonly session: number;
    }
  /** Proven empty: neither listed nor signallable. */
  | { readonly kind: 'absent' }
  /** Something is there, but who it is can't be read (`hidepid`, a sandbox). */
  | { readonly kind: 'hidden' };

/** What the machine shows of one identity. */
export type Sighting =
  | { readonly kind: 'alive' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'zombie' }
  | { readonly kind: 'stranger' }
  | { readonly kind: 'cannot-tell'; readonly reason: BlindReason };

/** Why a process can't be judged from here. */
export type BlindReason = 'other-host' | 'other-boot' | 'other-pid-namespace' | 'other-time-namespace' | 'hidden-process';

/** Whether pids of the recorded world mean anything here. */
export type WorldVerdict =
  | { readonly kind: 'same' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'other'; readonly reason: BlindReason };

/**
 * Judges the recorded world from here, before any pid is looked at.
 *
 * `recordedNamespaceInhabited` answers for a pid namespace below ours: `false` only where it is proven that nobody
 * lives in it any more; `undefined` where that can't be told.
 */
export function judgeWorld(recorded: ProcessIdentity, here: Vantage, recordedNamespaceInhabited: boolean | undefined): WorldVerdict {
  const sameNamespace = recorded.pidNamespace === here.pidNamespace;
  // Host names differ between namespaces of one machine; that it is one, its boot id tells.
  const isNested = recorded.bootId === here.bootId && !sameNamespace;
  if (recorded.host !== here.host && !isNested) return { kind: 'other', reason: 'other-host' };
  if (recorded.bootId !== here.bootId) {
    // Another boot of this machine ended everything in it. Inside a container the host name is all that ties the
    // record to this machine, so there the namespace must agree too, or the home be known as the container's own.
    return sameNamespace || here.exclusiveHome ? { kind: 'ended' } : { kind: 'other', reason: 'other-boot' };
  }
  if (!sameNamespace) {
    const isOwnHome = here.exclusiveHome && recorded.host === here.host;
    return isOwnHome || recordedNamespaceInhabited === false ? { kind: 'ended' } : { kind: 'other', reason: 'other-pid-namespace' };
  }
  // Start tokens count from the boot of the time namespace: two of them can't be compared.
  if (recorded.timeNamespace !== here.timeNamespace) return { kind: 'other', reason: 'other-time-namespace' };
  return { kind: 'same' };
}

/** Judges one pid slot of our own world against the identity that was recorded for it. */
export function judgeObservation(recorded: ProcessIdentity, seen: Observation): Sighting {
  switch (seen.kind) {
    case 'absent':
      return { kind: 'gone' };
    case 'hidden':
      return { kind: 'cannot-tell', reason: 'hidden-process' };
    case 'process':
      if (seen.startToken !== recorded.startToken) return { kind: 'stranger' };
      return { kind: seen.zombie ? 'zombie' : 'alive' };
    default:
      return unreachable(seen);
  }
}

/** True for what proves that the recorded process does not run any more. */
export function isDead(sighting: Sighting): boolean {
  return sighting.kind === 'gone' || sighting.kind === 'zombie' || sighting.kind === 'stranger';
}

export function unreachable(value: never): never {
  throw new TypeError(`unreachable: ${JSON.stringify(value)}`);
}

import { behindLinks } from '../../adapters/files/file-log-store.js';
import type { DaemonState, StateReason } from '../../domain/daemon-state.js';
import type { Phase } from '../../domain/descriptor.js';
import type { DaemonView } from '../../domain/look.js';
import type { StartResult } from '../../domain/start-daemon.js';

/** A daemon that runs. */
export interface RunningDaemon {
  readonly name: string;
  /** `replaced`: of `ensure` only. `starting`: not ready in time, where `onTimeout` is `keep`. */
  readonly outcome: 'started' | 'already-running' | 'starting' | 'replaced';
  readonly pid: number;
  readonly instanceId: string;
  /** Where it may be talked to, if it listens. */
  readonly socket: string | null;
  readonly log: string;
  /** Absolute path of the descriptor. */
  readonly descriptor: string;
  /** The running instance's own, which an already running one may have from an older caller. */
  readonly version: string | null;
}

/** How a daemon is, whether it runs or not. */
export interface DaemonStatus {
  readonly name: string;
  readonly status: DaemonState;
  /** While a process lives, and where a supervisor has none to show (`backoff`, `failed`). */
  readonly phase: Phase | null;
  readonly pid: number | null;
  readonly instanceId: string | null;
  readonly socket: string | null;
  readonly version: string | null;
  readonly descriptor: string;
  readonly log: string;
  readonly reason: StateReason;
}

export function running({ outcome, descriptor, path }: StartResult): RunningDaemon {
  const { name, pid, instanceId, socket, log, version } = descriptor;
  return { name, outcome, pid, instanceId, socket, log, descriptor: path, version };
}

/** `ownLog`: the log file that its spec names, if it names one. */
export function describeStatus({ place, descriptor, state, phase, reason }: DaemonView, ownLog: string | null): DaemonStatus {
  const shown = state === 'stopped' ? null : descriptor;
  return {
    name: place.name,
    status: state,
    phase,
    pid: shown?.pid ?? null,
    instanceId: shown?.instanceId ?? null,
    socket: shown?.socket ?? null,
    version: shown?.version ?? null,
    descriptor: place.descriptor,
    log: descriptor?.log ?? (ownLog === null ? place.log : behindLinks(ownLog)),
    reason,
  };
}

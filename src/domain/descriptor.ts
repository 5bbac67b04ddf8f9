import type { ServiceReference } from './autostart-installer.js';
import type { ProcessIdentity } from './identity.js';

export const descriptorSchema = 1;

/** Finer than the state, while a process lives. */
export type RunningPhase = 'starting' | 'ready' | 'stopping';

/** `running` has a phase of its own; `backoff` and `failed` belong to a supervisor that has no process to show. */
export type Phase = RunningPhase | 'backoff' | 'failed';

/** What a supervisor has to know of the runs before, also one that has taken over from another. */
export interface RestartHistory {
  /** Since somebody started it by hand. */
  readonly restarts: number;
  /** In a row, none of the runs between them stable. */
  readonly streak: number;
  /** When, by the machine's monotonic clock, in milliseconds: those that its window counts. */
  readonly recentMs: readonly number[];
}

export interface SupervisorReference {
  /** Where that is not the daemon's own: of one that took over after a reboot, until the next run. */
  readonly world?: Pick<ProcessIdentity, 'bootId' | 'pidNamespace' | 'timeNamespace' | 'host'>;
  readonly pid: number;
  readonly startToken: string;
  readonly instanceId: string;
  /** Its process may live on, and keeps this daemon no longer. */
  readonly left?: true;
  /** Of one that a service manager runs, which starts it again, and it then its daemons: nobody else takes those over. */
  readonly service?: ServiceReference;
}

export function sameInstance(a: { readonly instanceId: string }, b: { readonly instanceId: string }): boolean {
  return a.instanceId === b.instanceId;
}

/** The durable record of the process started under a name: `daemon.json`. Fields may be added, never changed. */
export interface Descriptor extends ProcessIdentity {
  readonly schema: typeof descriptorSchema;
  readonly name: string;
  /** Random, one for each run. */
  readonly instanceId: string;
  readonly uid: number;
  readonly phase: Phase;
  readonly socket: string | null;
  /** The daemon's own version, as its spec gave it. */
  readonly version: string | null;
  /** Wall time, ISO 8601: for people, never for a judgement. */
  readonly startedAt: string;
  readonly log: string;
  readonly command: readonly string[];
  readonly supervisedBy: SupervisorReference | null;
  /** The readiness condition in its written form, so that anyone can derive the phase again when the starter is gone. */
  readonly ready: string;
  /** Where this instance's output begins in `log`, in bytes, counted over all that was ever written to it. */
  readonly logOffset: number;
  readonly notifyFile: string | null;
  /** How this instance is to be ended. */
  readonly stop: { readonly signal: string; readonly graceMs: number };
  /** Of the definition that it was started by, where a program defines it. */
  readonly fingerprint?: string;
  /** Definitions of the same version in whose place it was started: they do not replace it in turn. */
  readonly supersedes?: readonly string[];
  /** Of a supervised daemon. */
  readonly history?: RestartHistory;
  /** The run before this one: what of it had left its group may live on. */
  readonly former?: FormerRun;
  /** How often the kernel had killed for want of memory around this process when it was started. */
  readonly memory?: MemoryWitness;
  /** The process named is the starter, written before a direct spawn where no launch gate can be had. */
  readonly intent?: true;
  /** It could not leave the job of its starter, a terminal's perhaps, and may have ended with it: on Windows. */
  readonly confined?: true;
  /** How old the process was when it became this daemon's; see `Launch`. */
  readonly waitedMs?: number;
}

/** With `intent` where it did not come to a process of its own, as far as is known: the one that is named is its starter. */
export type FormerRun = Pick<Descriptor, 'instanceId' | 'pid' | 'startToken' | 'intent'>;

/** The kernel's count of processes that it killed for want of memory in one control group. */
export interface MemoryWitness {
  /** The file that has the count. */
  readonly source: string;
  readonly kills: number;
}

/** What was found where a descriptor belongs. */
export type DescriptorReading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'corrupt'; readonly reason: string }
  | { readonly kind: 'newer'; readonly schema: number }
  | {
      readonly kind: 'present';
      readonly descriptor: Descriptor;
      /** The instance left its end marker: it ended by itself, cleanly. */
      readonly endedCleanly: boolean;
    };

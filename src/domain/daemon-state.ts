import type { Descriptor, DescriptorReading } from './descriptor.js';
import { type BlindReason, type Sighting, unreachable } from './identity.js';

/** What a daemon is: a process that lives, none, one whose record is left, or one that can't be judged from here. */
export type DaemonState = 'stopped' | 'running' | 'stale' | 'unknown';

/** Why a state is what it is, for people and for `reason` in JSON. */
export type StateReason =
  | 'no-descriptor'
  | 'ended-cleanly'
  | 'alive'
  | 'corrupt-descriptor'
  | 'process-gone'
  | 'process-is-a-zombie'
  | 'pid-reused'
  | 'newer-schema'
  /** Between two runs: its supervisor is about to start it again. */
  | 'awaiting-restart'
  /** The same, and its supervisor is gone: nobody starts it before another one has taken it over. */
  | 'supervisor-gone'
  /** Its process is gone, and whoever stops it is about to clear its record. */
  | 'being-stopped'
  /** It ended too often in too short a time, and is left alone until somebody starts it. */
  | 'crash-loop'
  | BlindReason;

export interface Classification {
  readonly state: DaemonState;
  readonly reason: StateReason;
}

/** The supervisor on record, where there is one. */
export type Guardian = 'alive' | 'gone' | 'cannot-tell';

/** The state is a function of the descriptor and the sighting, and of nothing else. */
export function classify(
  reading: DescriptorReading,
  sight: (descriptor: Descriptor) => Sighting,
  guardian: () => Guardian = () => 'gone',
): Classification {
  switch (reading.kind) {
    case 'absent':
      return { state: 'stopped', reason: 'no-descriptor' };
    case 'corrupt':
      return { state: 'stale', reason: 'corrupt-descriptor' };
    case 'newer':
      return { state: 'unknown', reason: 'newer-schema' };
    case 'present':
      return classifySighting(sight(reading.descriptor), reading, guardian);
    default:
      return unreachable(reading);
  }
}

function classifySighting(sighting: Sighting, reading: PresentReading, guardian: () => Guardian): Classification {
  const { phase } = reading.descriptor;
  switch (sighting.kind) {
    case 'alive':
      return { state: 'running', reason: 'alive' };
    case 'cannot-tell':
      return { state: 'unknown', reason: sighting.reason };
    case 'gone':
    case 'zombie':
    case 'stranger':
      if (phase === 'failed') return { state: 'stopped', reason: 'crash-loop' };
      if (phase === 'backoff') return { state: 'stopped', reason: guardian() === 'gone' ? 'supervisor-gone' : 'awaiting-restart' };
      if (reading.endedCleanly) return { state: 'stopped', reason: 'ended-cleanly' };
      // Its end is news that its supervisor has, or is about to have.
      if (phase !== 'stopping' && guardian() === 'alive') return { state: 'stopped', reason: 'awaiting-restart' };
      return { state: 'stale', reason: deathReason[sighting.kind] };
    default:
      return unreachable(sighting);
  }
}

type PresentReading = Extract<DescriptorReading, { kind: 'present' }>;

const deathReason = { gone: 'process-gone', zombie: 'process-is-a-zombie', stranger: 'pid-reused' } as const;

/** What a caller wants of a daemon. The forced forms may forget a record that nobody can judge. */
export type Wish = 'start' | 'start-by-force' | 'stop' | 'restart';

/** What the holder of the lifecycle lock does next. */
export type Step =
  /** Nothing to do: it is so already. */
  | 'nothing'
  /** Clear what a dead instance left, if any, then launch. */
  | 'clean-and-launch'
  | 'clean'
  | 'end'
  | 'end-and-launch'
  /** Leave every process and file alone: code `unknown-daemon`. */
  | 'refuse'
  /** Clear the record without a signal, then launch. */
  | 'forget-and-launch';

const steps: Readonly<Record<DaemonState, Readonly<Record<Wish, Step>>>> = {
  stopped: { start: 'clean-and-launch', 'start-by-force': 'clean-and-launch', stop: 'clean', restart: 'clean-and-launch' },
  running: { start: 'nothing', 'start-by-force': 'nothing', stop: 'end', restart: 'end-and-launch' },
  stale: { start: 'clean-and-launch', 'start-by-force': 'clean-and-launch', stop: 'clean', restart: 'clean-and-launch' },
  unknown: { start: 'refuse', 'start-by-force': 'forget-and-launch', stop: 'refuse', restart: 'refuse' },
};

/** The state machine: total, since a missing cell does not compile. */
export function stepFor(state: DaemonState, wish: Wish): Step {
  return steps[state][wish];
}

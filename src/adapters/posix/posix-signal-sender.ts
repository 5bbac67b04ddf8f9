import { isDead, judgeObservation, judgeWorld, type Observation, type ProcessIdentity, type Vantage } from '../../domain/identity.js';
import type { SignalOutcome, SignalSender } from '../../domain/ports.js';
import { giveWay } from '../give-way.js';

/**
 * Signals what is proven to be the recorded process. Proof and signal are two system calls in a row, with nothing of ours
 * between them: the closest that can be had without a pidfd.
 */
export class PosixSignalSender implements SignalSender {
  /** `hasTime`: see `FileSettings`. */
  constructor(
    private readonly inspector: { vantage(): Vantage; observe(pid: number): Observation },
    private readonly hasTime = false,
  ) {}

  send(target: ProcessIdentity, signal: string): SignalOutcome {
    const outcome = this.refusal(target) ?? kill(target.pid, signal);
    if (this.hasTime && outcome === 'sent') giveWay();
    return outcome;
  }

  sendToGroup(witness: ProcessIdentity, processGroup: number, signal: string): SignalOutcome {
    const refusal = this.refusal(witness);
    if (refusal) return refusal;
    const seen = this.inspector.observe(witness.pid);
    if (seen.kind !== 'process' || seen.startToken !== witness.startToken || seen.processGroup !== processGroup) return 'not-ours';
    return isSignallable(processGroup) ? kill(-processGroup, signal) : 'not-ours';
  }

  private refusal(target: ProcessIdentity): SignalOutcome | undefined {
    if (!isSignallable(target.pid)) return 'not-ours';
    if (judgeWorld(target, this.inspector.vantage(), undefined).kind !== 'same') return 'not-ours';
    const sighting = judgeObservation(target, this.inspector.observe(target.pid));
    if (sighting.kind === 'alive') return undefined;
    return isDead(sighting) && sighting.kind !== 'stranger' ? 'gone' : 'not-ours';
  }
}

/** 0, -1 and 1 would reach our own group, everybody, and init. */
function isSignallable(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 1;
}

function kill(pid: number, signal: string): SignalOutcome {
  try {
    process.kill(pid, signal);
    return 'sent';
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ESRCH':
        return 'gone';
      case 'EPERM':
        return 'not-permitted';
      default:
        throw error;
    }
  }
}

import { isDead, judgeObservation, judgeWorld, type Observation, type ProcessIdentity, type Vantage } from '../../domain/identity.js';
import type { ProcessRow, SignalOutcome, SignalSender } from '../../domain/ports.js';
import { type Kernel, loadKernel } from './kernel.js';
import { access, hasEnded, timesOf, withProcess } from './process-handle.js';

/** What Node gives to whom it ends, too. */
const exitCode = 1;
/** A member may start another while the group is being ended. */
const mostRounds = 5;

/**
 * Windows has no signals. Who can be asked to end is asked over the control socket, before anything here; whatever signal
 * comes after that ends the process, as it does with Node's own `kill`. Who is ended is looked at through the handle by
 * which it is ended, so that nothing can come between the two.
 */
export class WindowsSignalSender implements SignalSender {
  constructor(private readonly inspector: { vantage(): Vantage; observe(pid: number): Observation; survey(): readonly ProcessRow[] }) {}

  send(target: ProcessIdentity, _signal: string): SignalOutcome {
    if (!this.isOfOurWorld(target)) return 'not-ours';
    // Who belongs to whom shows only while the parent is there: once looked at, it is remembered.
    this.inspector.survey();
    return terminate(loadKernel(), target.pid, target.startToken);
  }

  sendToGroup(witness: ProcessIdentity, processGroup: number, signal: string): SignalOutcome {
    if (!this.isOfOurWorld(witness)) return 'not-ours';
    const seen = this.inspector.observe(witness.pid);
    const sighting = judgeObservation(witness, seen);
    if (sighting.kind !== 'alive') return isDead(sighting) && sighting.kind !== 'stranger' ? 'gone' : 'not-ours';
    if (seen.kind !== 'process' || seen.processGroup !== processGroup) return 'not-ours';
    let last: SignalOutcome = 'gone';
    for (let round = 0; round < mostRounds; round++) {
      const members = this.inspector.survey().filter((row) => row.processGroup === processGroup && row.pid !== process.pid);
      if (members.length === 0) break;
      // The leader last: while it lives, its pid is nobody else's, and its children are found through it.
      const inOrder = [...members].sort((one, other) => Number(one.pid === processGroup) - Number(other.pid === processGroup));
      for (const { pid, startToken } of inOrder) {
        const outcome = this.send({ ...witness, pid, startToken }, signal);
        if (outcome === 'sent' || last === 'gone') last = outcome;
      }
    }
    return last === 'not-permitted' ? last : 'sent';
  }

  private isOfOurWorld(target: ProcessIdentity): boolean {
    if (!Number.isSafeInteger(target.pid) || target.pid <= 1) return false;
    return judgeWorld(target, this.inspector.vantage(), undefined).kind === 'same';
  }
}

function terminate(kernel: Kernel, pid: number, startToken: string): SignalOutcome {
  const looked = withProcess(kernel, pid, access.queryLimited | access.synchronize, (process) => {
    if (String(timesOf(kernel, process)?.created) !== startToken) return 'not-ours';
    if (hasEnded(kernel, process)) return 'gone';
    // The handle that is open here keeps the pid from being another's.
    const ended = withProcess(kernel, pid, access.terminate, (own) => kernel.TerminateProcess(own, exitCode) !== 0);
    if (ended.kind === 'absent' || hasEnded(kernel, process)) return ended.kind === 'opened' ? 'sent' : 'gone';
    return ended.kind === 'opened' && ended.value ? 'sent' : 'not-permitted';
  });
  if (looked.kind === 'opened') return looked.value as SignalOutcome;
  return looked.kind === 'denied' ? 'not-permitted' : 'gone';
}

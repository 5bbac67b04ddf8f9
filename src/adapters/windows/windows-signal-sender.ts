import { isDead, judgeObservation, judgeWorld, type Observation, type ProcessIdentity, type Vantage } from '../../domain/identity.js';
import type { ProcessRow, SignalOutcome, SignalSender } from '../../domain/ports.js';
import type { BreakTarget } from './console-break.js';
import { type Kernel, loadKernel } from './kernel.js';
import { access, hasEnded, timesOf, withProcess } from './process-handle.js';

/** What Node gives to whom it ends, too. */
const exitCode = 1;
/** A member may start another while the group is being ended. */
const mostRounds = 5;

export interface WindowsSignalSystem {
  readonly inspector: { vantage(): Vantage; observe(pid: number): Observation; survey(): readonly ProcessRow[] };
  readonly sendBreak: (target: BreakTarget) => Promise<boolean>;
}

/**
 * Windows has no signals. Who can be asked to end is asked over the control socket, before anything here. Whatever signal
 * comes then but SIGKILL is CTRL_BREAK, and where that can't be sent it ends the process, as Node's own `kill` does. Who is
 * ended is looked at through the handle by which it is ended, so that nothing can come between the two.
 */
export class WindowsSignalSender implements SignalSender {
  /** The groups that were sent CTRL_BREAK, by their leaders' pids. */
  private readonly asked = new Set<number>();

  constructor(private readonly system: WindowsSignalSystem) {}

  async send(target: ProcessIdentity, signal: string): Promise<SignalOutcome> {
    if (!this.isOfOurWorld(target)) return 'not-ours';
    // Who belongs to whom shows only while the parent is there: once looked at, it is remembered.
    const row = this.system.inspector.survey().find(({ pid, startToken }) => pid === target.pid && startToken === target.startToken);
    if (row && signal !== 'SIGKILL' && (await this.ask(row))) return 'sent';
    return terminate(loadKernel(), target.pid, target.startToken);
  }

  async sendToGroup(witness: ProcessIdentity, processGroup: number, signal: string): Promise<SignalOutcome> {
    if (!this.isOfOurWorld(witness)) return 'not-ours';
    const seen = this.system.inspector.observe(witness.pid);
    const sighting = judgeObservation(witness, seen);
    if (sighting.kind !== 'alive') return isDead(sighting) && sighting.kind !== 'stranger' ? 'gone' : 'not-ours';
    if (seen.kind !== 'process' || seen.processGroup !== processGroup) return 'not-ours';
    if (signal !== 'SIGKILL' && (await this.system.sendBreak({ ...witness, group: processGroup }))) return 'sent';
    return this.endGroup(processGroup);
  }

  /** CTRL_BREAK goes to the whole group at once, so it is the leader's. Its members have been asked with it, or are not. */
  private async ask({ pid, startToken, processGroup }: ProcessRow): Promise<boolean> {
    if (pid !== processGroup) return this.asked.has(processGroup);
    const isSent = await this.system.sendBreak({ pid, startToken, group: processGroup });
    if (isSent) this.asked.add(processGroup);
    return isSent;
  }

  private endGroup(processGroup: number): SignalOutcome {
    const kernel = loadKernel();
    let last: SignalOutcome = 'gone';
    for (let round = 0; round < mostRounds; round++) {
      const members = this.system.inspector.survey().filter((row) => row.processGroup === processGroup && row.pid !== process.pid);
      if (members.length === 0) break;
      // The leader last: while it lives, its pid is nobody else's, and its children are found through it.
      const inOrder = [...members].sort((one, other) => Number(one.pid === processGroup) - Number(other.pid === processGroup));
      for (const { pid, startToken } of inOrder) {
        const outcome = terminate(kernel, pid, startToken);
        if (outcome === 'sent' || last === 'gone') last = outcome;
      }
    }
    return last === 'not-permitted' ? last : 'sent';
  }

  private isOfOurWorld(target: ProcessIdentity): boolean {
    if (!Number.isSafeInteger(target.pid) || target.pid <= 1) return false;
    return judgeWorld(target, this.system.inspector.vantage(), undefined).kind === 'same';
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

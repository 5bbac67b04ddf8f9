import type { ProcessIdentity } from '../../domain/identity.js';
import type { SignalOutcome, SignalSender } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';
import type { SimulatedProcess } from './simulated-process.js';

export class SimulatedSignalSender implements SignalSender {
  constructor(private readonly actor: SimulatedActor) {}

  send(target: ProcessIdentity, signal: string): Promise<SignalOutcome> {
    return this.actor.call('signals.send', () => {
      const found = this.identify(target);
      return typeof found === 'string' ? found : this.signalAll([found], signal);
    });
  }

  sendToGroup(witness: ProcessIdentity, processGroup: number, signal: string): Promise<SignalOutcome> {
    return this.actor.call('signals.sendToGroup', () => {
      const found = this.identify(witness);
      if (typeof found === 'string') return found;
      if (found.processGroup !== processGroup || processGroup <= 1) return 'not-ours';
      const members = [...found.space.processes.values()].filter((process) => process.processGroup === processGroup && process.isAlive);
      return this.signalAll(members, signal);
    });
  }

  private identify(target: ProcessIdentity): SimulatedProcess | SignalOutcome {
    const { world, identity, process } = this.actor;
    if (target.pid <= 1 || target.host !== identity.host || target.pidNamespace !== identity.pidNamespace) return 'not-ours';
    if (target.bootId !== world.kernel.bootId || target.timeNamespace !== identity.timeNamespace) return 'not-ours';
    const found = process.space.processes.get(target.pid);
    if (!found) return 'gone';
    const isHidden = found.isHidden || (world.hidesOthers && process.uid !== 0 && found.uid !== process.uid);
    if (isHidden || found.startToken !== target.startToken) return 'not-ours';
    return found.isAlive ? found : 'gone';
  }

  /** As kill(2) does: one that may be signalled makes it a success. */
  private signalAll(targets: readonly SimulatedProcess[], signal: string): SignalOutcome {
    const { world, process } = this.actor;
    const permitted = targets.filter((target) => process.uid === 0 || target.uid === process.uid);
    if (permitted.length === 0) return 'not-permitted';
    for (const target of permitted) {
      world.onSignal?.({ sender: this.actor, target, signal });
      world.kernel.signal(target, signal);
    }
    return 'sent';
  }
}

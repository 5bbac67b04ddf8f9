import type { ControlChannel, HelloOutcome, OccupationOutcome, ReloadOutcome } from '../../domain/ports.js';
import type { SimulatedActor } from './simulated-actor.js';

const protocol = 1;

export class SimulatedControlChannel implements ControlChannel {
  constructor(private readonly actor: SimulatedActor) {}

  hello(socket: string, timeoutMs: number): Promise<HelloOutcome> {
    return this.actor.wait('control.hello', (waking) => {
      const { network, schedule } = this.actor.world;
      const listener = network.find(socket);
      if (!listener) return waking.resolve({ kind: 'nobody' });
      const { uid } = this.actor.process;
      if (uid !== 0 && listener.process.uid !== uid) return waking.resolve({ kind: 'denied' });
      const peer = listener.control;
      if (!peer || peer.answersAfterMs > timeoutMs) {
        schedule.after(timeoutMs, () => waking.resolve({ kind: 'other' }));
      } else {
        const { instanceId, name, version } = peer;
        schedule.after(peer.answersAfterMs, () => waking.resolve({ kind: 'hello', instanceId, name, version, protocol }));
      }
      listener.process.onEnd(() => waking.resolve({ kind: 'other' }));
    });
  }

  occupation(socket: string, instanceId: string, timeoutMs: number): Promise<OccupationOutcome> {
    return this.actor.wait('control.occupation', (waking) => {
      const { network, schedule } = this.actor.world;
      const listener = network.find(socket);
      if (!listener) return waking.resolve('nobody');
      const { uid } = this.actor.process;
      if (uid !== 0 && listener.process.uid !== uid) return waking.resolve('other');
      const peer = listener.control;
      if (!peer || peer.instanceId !== instanceId || peer.answersAfterMs > timeoutMs) {
        schedule.after(timeoutMs, () => waking.resolve('other'));
      } else {
        schedule.after(peer.answersAfterMs, () => waking.resolve(peer.isBusy ? 'busy' : 'idle'));
      }
      listener.process.onEnd(() => waking.resolve('other'));
    });
  }

  async reload(): Promise<ReloadOutcome> {
    return 'not-served';
  }

  shutdown(socket: string, instanceId: string, timeoutMs: number): Promise<boolean> {
    return this.actor.wait('control.shutdown', (waking) => {
      const { network, schedule } = this.actor.world;
      const listener = network.find(socket);
      const peer = listener?.control;
      if (!listener || !peer || peer.instanceId !== instanceId) return waking.resolve(false);
      if (peer.answersAfterMs > timeoutMs) {
        schedule.after(timeoutMs, () => waking.resolve(false));
        return;
      }
      // It answers first, then ends.
      schedule.after(peer.answersAfterMs, () => {
        if (!listener.process.isAlive) return waking.resolve(false);
        schedule.after(schedule.random.next(), () => {
          if (listener.process.isAlive) peer.shutdown();
        });
        waking.resolve(true);
      });
      listener.process.onEnd(() => waking.resolve(false));
    });
  }
}

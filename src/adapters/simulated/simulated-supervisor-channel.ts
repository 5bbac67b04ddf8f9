import { DaemonError } from '../../domain/daemon-error.js';
import type { DelegatedVerb, SupervisorChannel } from '../../domain/delegate.js';
import type { StartRequest, StartResult } from '../../domain/start-daemon.js';
import type { SimulatedActor } from './simulated-actor.js';

export class SimulatedSupervisorChannel implements SupervisorChannel {
  constructor(private readonly actor: SimulatedActor) {}

  perform(socket: string, verb: DelegatedVerb, request: StartRequest): Promise<StartResult> {
    return this.actor.wait('supervisor.perform', (waking) => {
      const { network, schedule } = this.actor.world;
      const lost = () => waking.reject(new DaemonError('not-serving', 'the supervisor was gone before it had answered', { socket }));
      const listener = network.find(socket);
      if (!listener?.perform) return lost();
      listener.process.onEnd(lost);
      // Whoever asked may be cancelled, or killed: then nobody is left on the other end of the connection.
      const hasLeft = new AbortController();
      const leave = () => hasLeft.abort();
      if (request.signal?.aborted) leave();
      request.signal?.addEventListener('abort', leave);
      this.actor.process.onEnd(leave);
      const asked = { ...request, signal: hasLeft.signal };
      schedule.after(schedule.random.next(), () => {
        if (listener.process.isAlive) listener.perform?.(verb, asked).then(waking.resolve, waking.reject);
      });
    });
  }
}

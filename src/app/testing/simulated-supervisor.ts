import type { RunningProgram } from '../../adapters/simulated/program.js';
import type { SupervisorPeer } from '../../adapters/simulated/simulated-network.js';
import type { SimulatedWorld } from '../../adapters/simulated/simulated-world.js';
import { DaemonError } from '../../domain/daemon-error.js';
import { type DaemonSpec, specDefaults } from '../../domain/daemon-spec.js';
import { Supervisor } from '../../domain/supervisor.js';

/** How the supervisor of a simulated machine is started, as any daemon is. */
export const supervisorSpec: DaemonSpec = {
  ...specDefaults,
  command: ['supervisor'],
  cwd: '/',
  ready: { kind: 'socket' },
};

/** What the command `supervisor` does: keeps daemons running by their policies, until it is killed or has to end. */
export function supervise(world: SimulatedWorld, self: RunningProgram): void {
  const { process } = self;
  const { marks } = process;
  if (!marks) return;
  const actor = world.actor({ name: 'supervisor', process });
  const { pid, startToken } = actor.identity;
  const { instanceId, name, socket } = marks;
  const supervisor = new Supervisor(actor.machine, { pid, startToken, instanceId }, { say: () => {}, kept: () => {} });
  const shutdown = () => {
    supervisor.leave();
    self.endCleanly();
  };
  const perform: SupervisorPeer = async (verb, request) => {
    const attempt = await actor.attempt(() => {
      if (verb === 'restart') return supervisor.restart(request);
      return verb === 'start' ? supervisor.start(request) : supervisor.ensure({ ...request, spec: request.spec as DaemonSpec });
    });
    if (attempt.kind === 'returned') return attempt.value;
    throw attempt.kind === 'threw' ? attempt.error : new DaemonError('not-serving', 'the supervisor is gone');
  };
  world.network.listen(socket, {
    process,
    control: { instanceId, name, version: null, isBusy: false, answersAfterMs: 0, shutdown },
    perform,
  });
  // Where the machine fails, the simulation does.
  actor.attempt(() => supervisor.takeOver()).catch(() => {});
}

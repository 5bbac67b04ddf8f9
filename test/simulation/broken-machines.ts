import type { Launch, Machine, ProcessInspector } from '../../src/domain/ports.js';

/** A lock that everybody gets at once. */
export function withLockThatExcludesNobody(machine: Machine): Machine {
  const { lock, clock } = machine;
  return {
    ...machine,
    lock: {
      holder: (ref) => lock.holder(ref),
      acquire: async (ref) => {
        await clock.sleep(0);
        return { ref, release: () => {} };
      },
    },
  };
}

/** Signals whoever is in the recorded slot now, as `kill $(cat pid)` does. */
export function withSignalsByBarePid(machine: Machine): Machine {
  const { signals, inspector } = machine;
  const occupantOf = async <T extends { pid: number }>(target: T): Promise<T> => {
    const seen = await inspector.observe(target.pid);
    return seen.kind === 'process' ? { ...target, startToken: seen.startToken } : target;
  };
  return {
    ...machine,
    signals: {
      send: async (target, signal) => signals.send(await occupantOf(target), signal),
      sendToGroup: async (witness, group, signal) => signals.sendToGroup(await occupantOf(witness), group, signal),
    },
  };
}

/** Takes whoever is in the recorded slot for the daemon. */
export function withIdentityByPid(machine: Machine): Machine {
  const { inspector, descriptors } = machine;
  const observe: ProcessInspector['observe'] = async (pid) => {
    const seen = await inspector.observe(pid);
    if (seen.kind !== 'process') return seen;
    for (const name of await descriptors.names()) {
      const reading = await descriptors.read({ name });
      if (reading.kind === 'present' && reading.descriptor.pid === pid) return { ...seen, startToken: reading.descriptor.startToken };
    }
    return seen;
  };
  return { ...withSignalsByBarePid(machine), inspector: { ...delegate(inspector), observe } };
}

/** A launch whose command runs at once, before anybody has recorded it. */
export function withoutGate(machine: Machine): Machine {
  const { spawner } = machine;
  return {
    ...machine,
    spawner: {
      gated: true,
      resolve: (spec) => spawner.resolve(spec),
      spawn: async (request) => {
        const launch: Launch = await spawner.spawn(request);
        await launch.open();
        return launch;
      },
    },
  };
}

/** A zombie looks like anybody else, as it does to `kill(pid, 0)`. */
export function withLivingZombies(machine: Machine): Machine {
  const { inspector } = machine;
  const observe: ProcessInspector['observe'] = async (pid) => {
    const seen = await inspector.observe(pid);
    return seen.kind === 'process' ? { ...seen, zombie: false } : seen;
  };
  return { ...machine, inspector: { ...delegate(inspector), observe } };
}

function delegate(inspector: ProcessInspector): ProcessInspector {
  return {
    vantage: () => inspector.vantage(),
    observe: (pid) => inspector.observe(pid),
    isNamespaceInhabited: (namespace) => inspector.isNamespaceInhabited(namespace),
    survey: () => inspector.survey(),
    marksOf: (pid) => inspector.marksOf(pid),
    usage: (pid) => inspector.usage(pid),
    ownLineage: () => inspector.ownLineage(),
  };
}

import type { SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';
import type { DescriptorReading, RestartHistory } from '../../src/domain/descriptor.js';
import type { HeldLock, Launch, LifecycleLock, ProcessInspector } from '../../src/domain/ports.js';
import { freshHistory } from '../../src/domain/restart-policy.js';
import type { Flaw } from './simulation.js';

/** A lock that everybody gets at once. */
export const withLockThatExcludesNobody: Flaw = (machine) => ({
  ...machine,
  lock: {
    holder: (ref) => machine.lock.holder(ref),
    acquire: async (ref) => {
      await machine.clock.sleep(0);
      return { ref, release: () => {} };
    },
  },
});

/** A lock file that counts as left behind once it is so old, whoever holds it, as proper-lockfile's does without its updates. */
export const withLockByMtime: Flaw = (machine, { world }) => {
  const staleMs = 60;
  const pollMs = 5;
  const files = lockFiles.get(world) ?? new Map<string, number>();
  lockFiles.set(world, files);
  const acquire: LifecycleLock['acquire'] = async (ref) => {
    for (;;) {
      const { descriptor } = await machine.descriptors.place(ref);
      const madeMs = files.get(descriptor);
      if (madeMs === undefined || world.schedule.nowMs - madeMs > staleMs) {
        files.set(descriptor, world.schedule.nowMs);
        return { ref, release: () => void files.delete(descriptor) };
      }
      await machine.clock.sleep(pollMs);
    }
  };
  return { ...machine, lock: { holder: (ref) => machine.lock.holder(ref), acquire } };
};

/** Signals whoever is in the recorded slot now, as `kill $(cat pid)` does. */
export const withSignalsByBarePid: Flaw = (machine) => {
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
};

/** Takes whoever is in the recorded slot for the daemon, and signals it. */
export const withIdentityByPid: Flaw = (machine, actor) => {
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
  return { ...withSignalsByBarePid(machine, actor), inspector: delegate(inspector, { observe }) };
};

/** A launch whose command runs at once, before anybody has recorded it. */
export const withoutGate: Flaw = (machine) => {
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
};

/** A program that tidies up when it ends, after it has let go of the lock: whatever is at the path by then. */
export const withCleanupByPath: Flaw = (machine, { world }) => {
  const slowestExitMs = 20;
  const removeLater = (held: HeldLock) => {
    const folder = world.disk.create(held.ref);
    world.schedule.after(world.schedule.random.next() * slowestExitMs, () => world.disk.store(folder, { kind: 'absent' }));
  };
  const { descriptors } = machine;
  return {
    ...machine,
    descriptors: delegate(descriptors, { clear: async (held) => removeLater(held) }),
  };
};

/** Takes whom it may not signal for dead, as everybody does who reads every error of `kill(pid, 0)` as "no such process". */
export const withDeniedReadAsDead: Flaw = (machine, actor) => {
  const { inspector } = machine;
  const observe: ProcessInspector['observe'] = async (pid) => {
    const seen = await inspector.observe(pid);
    const mayBeSignalled = seen.kind === 'process' && (actor.process.uid === 0 || seen.uid === actor.process.uid);
    return mayBeSignalled ? seen : { kind: 'absent' };
  };
  return { ...machine, inspector: delegate(inspector, { observe }) };
};

/** A descriptor that is truncated, and then written. */
export const withDescriptorInPlace: Flaw = (machine, { world }) => {
  const { descriptors, clock } = machine;
  return {
    ...machine,
    descriptors: delegate(descriptors, {
      write: async (held, descriptor) => {
        world.disk.store(world.disk.create(held.ref), { kind: 'corrupt', reason: 'it is empty' });
        await clock.sleep(0);
        await descriptors.write(held, descriptor);
      },
    }),
  };
};

/** A zombie looks like anybody else, as it does to `kill(pid, 0)`. */
export const withLivingZombies: Flaw = (machine) => {
  const { inspector } = machine;
  const observe: ProcessInspector['observe'] = async (pid) => {
    const seen = await inspector.observe(pid);
    return seen.kind === 'process' ? { ...seen, zombie: false } : seen;
  };
  return { ...machine, inspector: delegate(inspector, { observe }) };
};

/** A supervisor that remembers what it started, and does not look whether somebody has stopped it meanwhile. */
export const withRecordsInMemory: Flaw = (machine, { name }) => {
  const { descriptors } = machine;
  if (!supervisorNames.has(name)) return machine;
  const known = new Map<string, DescriptorReading>();
  return {
    ...machine,
    descriptors: delegate(descriptors, {
      read: async (ref) => {
        const reading = await descriptors.read(ref);
        if (reading.kind === 'present') known.set(ref.name, reading);
        return reading.kind === 'absent' ? (known.get(ref.name) ?? reading) : reading;
      },
    }),
  };
};

/** A supervisor that counts restarts in its own memory: the one that comes after it begins anew. */
export const withCountsInMemory: Flaw = (machine, { name }) => {
  const { descriptors } = machine;
  if (!supervisorNames.has(name)) return machine;
  const counted = new Map<string, RestartHistory>();
  return {
    ...machine,
    descriptors: delegate(descriptors, {
      write: async (held, { history, ...descriptor }) => {
        if (history) counted.set(held.ref.name, history);
        await descriptors.write(held, { ...descriptor, ...(history ? { history: freshHistory } : {}) });
      },
      read: async (ref) => {
        const reading = await descriptors.read(ref);
        const history = counted.get(ref.name);
        return reading.kind === 'present' && history ? { ...reading, descriptor: { ...reading.descriptor, history } } : reading;
      },
    }),
  };
};

/** A supervisor that takes over whatever it finds, as one does that trusts to be alone. */
export const withoutRivals: Flaw = (machine, actor) => {
  const { inspector } = machine;
  if (!supervisorNames.has(actor.name)) return machine;
  const observe: ProcessInspector['observe'] = async (pid) => {
    const seen = await inspector.observe(pid);
    const process = actor.process.space.processes.get(pid);
    const isSupervisor = process?.origin === null || process?.marks?.name === 'supervisor';
    return isSupervisor && pid !== actor.process.pid ? { kind: 'absent' } : seen;
  };
  return { ...machine, inspector: delegate(inspector, { observe }) };
};

/** A supervisor that knows its own children only: of whatever ran before it came, it learns nothing. */
export const withoutTakeover: Flaw = (machine, { name }) => {
  const { descriptors } = machine;
  return supervisorNames.has(name) ? { ...machine, descriptors: delegate(descriptors, { names: async () => [] }) } : machine;
};

/** A flight recorder that is never looked at before it is written to. */
export const withUnreadRecorder: Flaw = (machine) => ({
  ...machine,
  runs: delegate(machine.runs, { read: async () => [] }),
});

const supervisorNames: ReadonlySet<string> = new Set(['supervisor', 'other', 'rescuer']);

/** The same port with some of its methods replaced: a class's own are not among what a spread copies. */
function delegate<T extends object>(port: T, replaced: Partial<T>): T {
  return new Proxy(port, {
    get: (target, key) => {
      const value = Reflect.get(key in replaced ? replaced : target, key);
      return typeof value === 'function' ? value.bind(key in replaced ? replaced : target) : value;
    },
  });
}

/** When each lock file was made. */
const lockFiles = new WeakMap<SimulatedWorld, Map<string, number>>();

import type { SimulatedActor } from '../../src/adapters/simulated/simulated-actor.js';
import type { DaemonFolder } from '../../src/adapters/simulated/simulated-disk.js';
import type { Listener } from '../../src/adapters/simulated/simulated-network.js';
import { SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';
import { descriptorSchema } from '../../src/domain/descriptor.js';
import type { DaemonRef } from '../../src/domain/ports.js';
import type { ContractHost, ContractMachine, ContractPrograms, ContractSubject, MortalActor } from '../contracts/contract-machine.js';
import { soon, specFor } from '../contracts/contract-machine.js';
import { describeContracts } from '../contracts/contracts.js';

const programs: ContractPrograms = {
  sleeps: ['sleep'],
  ignoresSigterm: ['ignores-sigterm'],
  exits: (code) => ['exit', String(code)],
  prints: (...lines) => ['print', ...lines],
  forks: ['forks'],
  keepsZombie: ['keeps-zombie'],
  absent: ['absent'],
  notExecutable: ['/not-executable'],
  printsVariable: () => ['absent'],
  printsFolder: ['absent'],
  readsInput: ['absent'],
};

describeContracts(simulated('simulated machine', {}));
describeContracts(simulated('simulated machine without a launch gate', { gated: false, cutsLogs: false }));

function simulated(name: string, options: { gated?: boolean; cutsLogs?: boolean }): ContractSubject {
  let seed = 0;
  return {
    name,
    can: {
      mortalActors: options.gated ?? true,
      launchGate: options.gated ?? true,
      otherUsers: true,
      hiddenProcesses: true,
      shell: false,
      http: false,
      zombies: true,
      ignorableSignals: true,
      endsBySignal: true,
      emptyGroups: true,
      seesHandlers: true,
      posixShell: false,
      reloads: false,
      logCuts: options.cutsLogs ?? true,
    },
    create: async () => createMachine(new SimulatedWorld({ seed: ++seed, ...options })),
  };
}

function createMachine(world: SimulatedWorld): ContractMachine {
  world.programs.set('ignores-sigterm', (self) => {
    self.ignore('SIGTERM');
    self.print('ignoring');
  });
  world.programs.set('forks', (self) => {
    self.fork();
    self.print('forked');
  });
  world.programs.set('keeps-zombie', (self) => {
    self.process.reaps = false;
    self.fork({ program: (child) => child.exit(0) });
    self.print('forked');
  });
  return { machine: world.actor().machine, programs, host: createHost(world), started: [], close: async () => {} };
}

function createHost(world: SimulatedWorld): ContractHost {
  const listen = (address: string, listener: Omit<Listener, 'process'> = { control: undefined }) => {
    world.network.listen(address, { ...listener, process: world.spawnStranger() });
  };
  return {
    path: (file) => `/simulated/${file}`,
    socket: (file) => `/simulated/${file}`,
    secondActor: async () => world.actor().machine,
    mortalActor: async () => mortal(world, world.actor()),
    append: async (path, text) => world.disk.append(path, text),
    exists: async (path) =>
      world.disk.files.has(path) || [...world.disk.folders].some(({ descriptor }) => descriptor === `${path}/daemon.json`),
    spoilDescriptor: async (ref, how) => {
      world.disk.store(
        folderOf(world, ref),
        how === 'newer' ? { kind: 'newer', schema: descriptorSchema + 1 } : { kind: 'corrupt', reason: 'it is not JSON' },
      );
    },
    hasSetAside: async (ref) => folderOf(world, ref).setAside.length > 0,
    leaveEndMarker: async (ref, instanceId) => {
      folderOf(world, ref).ended = instanceId;
    },
    listen: async (socket) => listen(socket),
    listenOnPort: async () => {
      listen('port:4711');
      return 4711;
    },
    serveHttp: async () => {
      throw new Error('no web here');
    },
    serveControl: async (socket, hello) => {
      let shutdowns = 0;
      const shutdown = () => {
        shutdowns++;
      };
      listen(socket, { control: { isBusy: false, ...hello, answersAfterMs: 1, shutdown } });
      return { shutdowns: () => shutdowns, reloads: () => 0 };
    },
    strangerOfOtherUser: async () => world.identityOf(world.spawnStranger({ uid: 1234 })),
    hiddenProcess: async () => {
      const stranger = world.spawnStranger();
      stranger.isHidden = true;
      return stranger.pid;
    },
  };
}

function folderOf(world: SimulatedWorld, ref: DaemonRef): DaemonFolder {
  const folder = world.disk.find(ref);
  if (!folder) throw new Error(`nothing is kept of ${ref.name}`);
  return folder;
}

function mortal(world: SimulatedWorld, actor: SimulatedActor): MortalActor {
  const { machine, identity } = actor;
  return {
    identity,
    acquire: async (ref) => {
      await machine.lock.acquire(ref, soon);
    },
    spawnGated: async (command, log) => {
      const marks = { name: 'mortal', instanceId: 'mortal-1', descriptor: '/simulated/mortal.json', socket: '/simulated/mortal.sock' };
      const resolved = await machine.spawner.resolve(specFor(command));
      return (await machine.spawner.spawn({ command: resolved, marks, log, notifyFile: null })).identity;
    },
    monotonicMs: async () => machine.clock.monotonicMs(),
    kill: async () => {
      actor.crash();
      await world.pass(0);
    },
  };
}

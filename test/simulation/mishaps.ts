import type { SimulatedProcess } from '../../src/adapters/simulated/simulated-process.js';
import type { SimulatedWorld } from '../../src/adapters/simulated/simulated-world.js';
import { unreachable } from '../../src/domain/identity.js';
import { spoiled } from './invariants.js';
import type { Mishap } from './scenario.js';

/** Containers come and go under this id, as the numbers of pid namespaces do. */
export const containerId = 'pid:[container]';

const reuseEveryMs = 20;
const reuseTries = 15;

/** What happens to a machine, and to those on it, by itself. */
export function befall(world: SimulatedWorld, mishap: Mishap): void {
  switch (mishap.kind) {
    case 'stranger':
      visit(world, mishap);
      break;
    case 'death': {
      const victim = pick(mishap.victim, livingOfDaemons(world));
      if (victim) world.kernel.exit(victim, { exitCode: null, signal: 'SIGKILL' });
      break;
    }
    case 'hang': {
      const victim = pick(mishap.victim, livingOfDaemons(world));
      if (victim) world.kernel.hang(victim, mishap.forMs);
      break;
    }
    case 'spoil': {
      const recorded = [...world.disk.folders].filter(({ record }) => record.kind === 'present');
      const victim = pick(mishap.victim, recorded);
      if (victim) world.disk.store(victim, spoiled);
      break;
    }
    case 'reboot':
      world.reboot();
      break;
    case 'container-end':
      if (world.kernel.spaces.has(containerId)) world.kernel.removeSpace(containerId);
      break;
    default:
      unreachable(mishap);
  }
}

/** A daemon dies, and a stranger gets its pid as soon as the system gives it out again. */
export function reusePid(world: SimulatedWorld, name: string): void {
  const { descriptor } = world.disk.locate({ name });
  const victim = livingOfDaemons(world).find((process) => process.isLeader && process.origin?.descriptor === descriptor);
  if (!victim) return;
  world.kernel.exit(victim, { exitCode: null, signal: 'SIGKILL' });
  const { bootId } = world.kernel;
  const tryAgain = (triesLeft: number) => {
    if (triesLeft === 0 || world.kernel.bootId !== bootId || victim.space !== world.kernel.root) return;
    const stranger = victim.life === 'reaped' ? world.spawnStranger() : undefined;
    if (stranger?.pid === victim.pid) return;
    if (stranger) world.kernel.exit(stranger, { exitCode: 0, signal: null });
    world.schedule.after(reuseEveryMs, () => tryAgain(triesLeft - 1));
  };
  tryAgain(reuseTries);
}

/** Alone, with a child, or as a daemon that forked twice: its child has a session whose leader is gone. */
function visit(world: SimulatedWorld, { placement, livesMs, childLivesMs }: Extract<Mishap, { kind: 'stranger' }>): void {
  const leaveAfter = (process: SimulatedProcess, ms: number) =>
    world.schedule.after(ms, () => world.kernel.exit(process, { exitCode: 0, signal: null }));
  const stranger = world.spawnStranger({ placement });
  if (childLivesMs !== null) leaveAfter(world.kernel.fork({ parent: stranger, placement: 'same-group' }), childLivesMs);
  leaveAfter(stranger, livesMs);
}

function livingOfDaemons(world: SimulatedWorld): readonly SimulatedProcess[] {
  return [...world.kernel.spaces.values()].flatMap(({ processes }) =>
    [...processes.values()].filter((process) => process.origin !== null && process.life === 'running'),
  );
}

/** By a number from 0 to below 1, since who there will be is not known beforehand. */
function pick<T>(choice: number, victims: readonly T[]): T | undefined {
  return victims[Math.floor(choice * victims.length)];
}

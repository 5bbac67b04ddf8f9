import type { RunningProgram } from '../../src/adapters/simulated/program.js';
import type { SeededRandom } from '../../src/adapters/simulated/seeded-random.js';
import type { DaemonSpec } from '../../src/domain/daemon-spec.js';

type Behaviour = (self: RunningProgram, random: SeededRandom) => void;

/** What daemons do in simulations. */
export const programs = {
  steady: () => {},
  stubborn: (self) => self.ignore('SIGTERM'),
  family: (self, random) => {
    self.fork();
    self.fork({ placement: 'own-session', program: (child) => child.ignore('SIGTERM') });
    self.on('SIGTERM', () => {
      self.fork({ placement: 'own-group' });
      self.after(random.next() * 10, () => self.exit(0));
    });
  },
  speaking: (self) => self.after(1, () => self.listen({ answersAfterMs: 1 })),
  /** Accepts, and says nothing. */
  mute: (self) => self.after(1, () => self.listen()),
  slow: (self, random) => self.after(random.next() * 30, () => self.notify()),
  never: () => {},
  /** Ends by itself, at times cleanly. */
  brief: (self, random) => {
    const cleanly = random.chance(0.5);
    self.after(random.next() * 60, () => (cleanly ? self.endCleanly() : self.exit(1)));
  },
  failing: (self) => self.exit(1),
  /** Ends again and again, at times well, each time after a while. */
  crashing: (self, random) => {
    const code = random.chance(0.7) ? 1 : 0;
    self.after(5 + random.next() * 30, () => self.exit(code));
  },
  /** Gets unwell after a while, and stays so. */
  ailing: (self, random) => {
    const wellMs = random.next() * 60;
    self.fork({
      program: (child) => {
        child.listenOnPort(healthPort);
        child.after(wellMs, () => child.exit(0));
      },
    });
  },
  /** Its child has left the group, and outlives it. */
  leaving: (self, random) => {
    self.fork({ placement: 'own-session' });
    self.after(random.next() * 80, () => self.exit(0));
  },
} satisfies Record<string, Behaviour>;

/** Where those answer that are well. */
export const healthPort = 7;

export type ProgramName = keyof typeof programs;

export const programNames = Object.keys(programs) as ProgramName[];

/** Slow programs tell when they are ready. */
export function readyOf(program: ProgramName): DaemonSpec['ready'] {
  if (program === 'slow' || program === 'never') return { kind: 'notify' };
  return program === 'mute' ? { kind: 'socket' } : { kind: 'exec' };
}

import { SeededRandom } from '../../src/adapters/simulated/seeded-random.js';
import type { Placement } from '../../src/adapters/simulated/simulated-process.js';
import type { SimulatedWorldOptions } from '../../src/adapters/simulated/simulated-world.js';
import type { RestartPolicy } from '../../src/domain/daemon-spec.js';
import { type Failure, randomFailure } from './failures.js';
import { type ProgramName, programNames } from './programs.js';

/** One history to be: all that is decided before it begins. Its seed decides who goes next, and the machine's own luck. */
export interface Scenario {
  readonly seed: number;
  readonly world: Omit<SimulatedWorldOptions, 'seed'>;
  readonly users: readonly User[];
  readonly incidents: readonly Incident[];
}

/** Whoever runs verbs, one after the other. */
export interface User {
  /** One program for all of its verbs, as a host program does it; else a command line for each. */
  readonly embeds: boolean;
  readonly uid: number;
  /** In a container that shares the home. */
  readonly contained: boolean;
}

export type VerbName = 'start' | 'start-again' | 'stop' | 'restart' | 'ensure' | 'list' | 'wait' | 'revive';

/** What goes wrong with one program. */
export interface Trouble {
  /** The program, or the whole machine, goes down at its so many-th call. */
  readonly crash?: { readonly call: number; readonly when: 'before' | 'after'; readonly what: 'crash' | 'reboot' } | undefined;
  /** The program is suspended after its so many-th call. `reuse`: meanwhile the daemon dies, and a stranger gets its pid. */
  readonly stall?: { readonly call: number; readonly forMs: number; readonly reuse: boolean } | undefined;
  readonly failure?: Failure | undefined;
}

export interface Verb extends Trouble {
  readonly kind: 'verb';
  readonly atMs: number;
  readonly user: number;
  readonly verb: VerbName;
  readonly name: string;
  readonly program: ProgramName;
  readonly version: string;
  /** Kept by a supervisor, unless `never`: some verbs then go through that. */
  readonly restart: RestartPolicy;
  /** Once more, at once. */
  readonly repeats: boolean;
  readonly abortAfterMs?: number | undefined;
}

export type Mishap =
  /** Somebody who has nothing to do with us comes, and goes. */
  | {
      readonly kind: 'stranger';
      readonly atMs: number;
      readonly placement: Placement;
      readonly livesMs: number;
      readonly childLivesMs: number | null;
    }
  /** The machine runs out of memory: a daemon is killed, or one of its children. `victim`, from 0 to below 1, picks which. */
  | { readonly kind: 'death'; readonly atMs: number; readonly victim: number }
  | { readonly kind: 'spoil'; readonly atMs: number; readonly victim: number }
  /** A daemon's process is in a system call that does not end, for a while. */
  | { readonly kind: 'hang'; readonly atMs: number; readonly victim: number; readonly forMs: number }
  | { readonly kind: 'reboot'; readonly atMs: number }
  | { readonly kind: 'container-end'; readonly atMs: number };

/** A program supervises the home by itself, beside the one that verbs ask, and takes over what it finds. */
export interface SupervisorArrival extends Trouble {
  readonly kind: 'supervisor';
  readonly atMs: number;
  /** Keeps nothing any more then, and ends. */
  readonly leavesAfterMs?: number | undefined;
}

/** Befalls every supervisor that lives then, and else the next one. Without trouble of its own, it is the end of them. */
export interface SupervisorTrouble extends Trouble {
  readonly kind: 'trouble';
  readonly atMs: number;
}

export type Incident = Verb | Mishap | SupervisorArrival | SupervisorTrouble;

const names = ['web', 'api'] as const;
const policies: readonly RestartPolicy[] = ['never', 'on-failure', 'on-failure', 'always', 'always', 'always', 'always'];
const verbs: readonly VerbName[] = ['start', 'start', 'start-again', 'stop', 'stop', 'restart', 'ensure', 'list', 'wait'];
/** Most verbs come to an end within as many calls. */
const latestCrashCall = 60;
const latestStallCall = 20;
/** A supervisor comes from one run of a daemon to the next, or through what it takes over, within as many. */
const latestSupervisorCall = 70;

/**
 * The scenario of a seed. Each has its own selection of what can go wrong, so that what is rare where everything happens
 * at once gets its turn ("swarm testing", Groce et al., 2012).
 */
export function scenarioOf(seed: number): Scenario {
  const random = new SeededRandom(seed ^ 0x5bd1_e995);
  const has = selection(random);
  const users = Array.from({ length: 1 + random.below(3) }, (): User => {
    const contained = has.containers && random.chance(0.5);
    return { embeds: random.chance(0.4), uid: has.otherUsers && random.chance(0.5) ? 0 : 1000, contained };
  });
  const incidents: Incident[] = [];
  for (let user = 0; user < users.length; user++)
    for (let left = 1 + random.below(3); left > 0; left--) incidents.push(randomVerb(random, has, user));
  addMishaps(random, has, incidents);
  const world = {
    // Without a gate, a crash may leave a daemon that its marks alone tell of: another user can't read them.
    gated: !random.chance(0.1) || has.otherUsers,
    hidesOthers: has.otherUsers && random.chance(0.5),
    // Whoever ends there stays, so there must be room for all.
    ...(has.neverReaps ? { initReaps: 'never' as const, pids: { first: 2, last: 600 } } : {}),
    reuse: random.pick([0.5, 0.9]),
  };
  return { seed, world, users, incidents: incidents.sort((a, b) => a.atMs - b.atMs) };
}

/** What can happen in one scenario at all. */
type Selection = ReturnType<typeof selection>;

function selection(random: SeededRandom) {
  return {
    horizonMs: 20 + random.next() * (random.chance(0.5) ? 100 : 500),
    crashes: random.chance(0.5),
    failures: random.chance(0.35),
    aborts: random.chance(0.2),
    stalls: random.chance(0.35),
    reboots: random.chance(0.2),
    containers: random.chance(0.12),
    otherUsers: random.chance(0.12),
    oddPrograms: random.chance(0.7),
    nameCount: random.chance(0.75) ? 1 : 2,
    supervision: random.chance(0.3),
    neverReaps: random.chance(0.15),
  };
}

function randomVerb(random: SeededRandom, has: Selection, user: number): Verb {
  return {
    kind: 'verb',
    atMs: random.next() * has.horizonMs,
    user,
    verb: has.supervision && random.chance(0.15) ? 'revive' : random.pick(verbs),
    name: names[random.below(has.nameCount)] as string,
    program: randomProgram(random, has),
    version: random.pick(['1.0.0', '1.0.0', '2.0.0']),
    restart: has.supervision ? random.pick(policies) : 'never',
    repeats: random.chance(0.15),
    ...(has.aborts && random.chance(0.3) ? { abortAfterMs: random.next() * 20 } : {}),
    ...randomTrouble(random, has, latestCrashCall),
  };
}

/** Of those that stay as they are, a supervisor has nothing to do. */
function randomProgram(random: SeededRandom, has: Selection): ProgramName {
  if (has.otherUsers) return 'steady';
  if (has.supervision && random.chance(0.6)) return random.pick(['crashing', 'crashing', 'ailing', 'brief', 'leaving', 'failing']);
  return has.oddPrograms ? random.pick(programNames) : 'steady';
}

function randomTrouble(random: SeededRandom, has: Selection, latestCall: number): Trouble {
  return {
    ...(has.crashes && random.chance(0.4) ? { crash: randomCrash(random, has, latestCall) } : {}),
    ...(has.stalls && random.chance(0.5) ? { stall: randomStall(random) } : {}),
    ...(has.failures && random.chance(0.5) ? { failure: randomFailure(random) } : {}),
  };
}

function randomCrash(random: SeededRandom, has: Selection, latestCall: number): Trouble['crash'] {
  const [call, when] = [1 + random.below(latestCall), random.pick(['before', 'after'] as const)];
  return { call, when, what: has.reboots && random.chance(0.3) ? 'reboot' : 'crash' };
}

function addMishaps(random: SeededRandom, has: Selection, incidents: Incident[]): void {
  const at = () => random.next() * has.horizonMs;
  const perhaps = (chance: number, most: number, make: () => Incident) => {
    if (!random.chance(chance)) return;
    for (let left = 1 + random.below(most); left > 0; left--) incidents.push(make());
  };
  perhaps(0.5, 5, () => ({
    kind: 'stranger',
    atMs: at(),
    placement: random.pick(['own-session', 'own-group', 'same-group']),
    livesMs: random.next() * (random.chance(0.5) ? 1 : 300),
    childLivesMs: random.chance(0.5) ? random.next() * 600 : null,
  }));
  perhaps(0.35, 2, () => ({ kind: 'death', atMs: at(), victim: random.next() }));
  // The record is all that shows another user, or another container, that a daemon lives.
  if (!has.otherUsers && !has.containers) perhaps(0.2, 1, () => ({ kind: 'spoil', atMs: at(), victim: random.next() }));
  perhaps(0.1, 1, () => ({ kind: 'hang', atMs: at(), victim: random.next(), forMs: random.next() * 300 }));
  if (has.supervision) {
    perhaps(0.5, 2, () => ({
      kind: 'supervisor',
      atMs: at(),
      ...randomTrouble(random, has, latestSupervisorCall),
      ...(random.chance(0.2) ? { leavesAfterMs: random.next() * 100 } : {}),
    }));
    perhaps(0.8, 3, () => ({ kind: 'trouble', atMs: at(), ...randomTrouble(random, has, latestSupervisorCall) }));
  }
  if (has.reboots) perhaps(0.5, 1, () => ({ kind: 'reboot', atMs: at() }));
  if (has.containers) perhaps(0.5, 2, () => ({ kind: 'container-end', atMs: at() }));
}

/** A pid is not given out again at once: only a long stall sees that. */
function randomStall(random: SeededRandom): Trouble['stall'] {
  const reuse = random.chance(0.6);
  return { call: 1 + random.below(latestStallCall), forMs: (reuse ? 160 : 0) + random.next() * 300, reuse };
}

/** An incident in one line, for people. */
export function tell(incident: Incident, users: readonly User[]): string {
  const { kind, atMs, ...rest } = incident;
  const when = `${atMs.toFixed(2).padStart(9)} ms`;
  if (incident.kind === 'supervisor') {
    const leaves = incident.leavesAfterMs === undefined ? '' : `, and leaves after ${incident.leavesAfterMs.toFixed(2)} ms`;
    return `${when}  another supervisor comes${leaves}${tellTrouble(incident)}`;
  }
  if (incident.kind === 'trouble') return `${when}  supervisors${tellTrouble(incident) || ' are killed'}`;
  if (incident.kind !== 'verb') return `${when}  ${kind} ${facts(rest)}`.trimEnd();
  const { user, verb, name, program, version, restart, repeats, abortAfterMs } = incident;
  const who = users[user];
  const kinds = [who?.embeds ? 'embedding' : '', who?.uid === 0 ? 'root' : '', who?.contained ? 'contained' : ''].filter(Boolean);
  return [
    `${when}  user-${user}${kinds.length > 0 ? ` (${kinds.join(', ')})` : ''}: ${verb} ${name}`,
    ['stop', 'list', 'wait', 'revive'].includes(verb) ? '' : ` (${program} ${version}${restart === 'never' ? '' : `, ${restart}`})`,
    repeats ? ', twice' : '',
    abortAfterMs === undefined ? '' : `, cancelled after ${abortAfterMs.toFixed(2)} ms`,
    tellTrouble(incident),
  ].join('');
}

function tellTrouble({ crash, stall, failure }: Trouble): string {
  return [
    crash ? `, with a ${crash.what} ${crash.when} call ${crash.call}` : '',
    stall ? `, suspended for ${stall.forMs.toFixed(2)} ms after call ${stall.call}${stall.reuse ? ', the pid reused' : ''}` : '',
    failure ? `, where ${facts(failure)}` : '',
  ].join('');
}

function facts(record: object): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toFixed(2)) : value}`)
    .join(', ');
}

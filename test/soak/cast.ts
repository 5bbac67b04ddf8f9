import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DaemonOptions } from '../../src/app/embed/index.js';
import { serveFile } from '../support/suite.js';

/** One of the daemons that a soak is made of. */
export interface Player {
  readonly name: string;
  readonly options: DaemonOptions;
  /** The same for the command line: everything after the verb. */
  readonly words: readonly string[];
  /** Stands in the arguments of the daemon's first process, and in those of nobody whom it starts. */
  readonly program: string;
  /** It is to run for as long as nobody stops it: whatever befalls it, it comes back. */
  readonly isLasting: boolean;
  /** A folder with a file for each run that tells how far its numbered lines have come. */
  readonly truth: string | undefined;
}

/** Each takes one of these many seconds before its luck runs out, by its pid: always another, and nobody has to tell it which. */
const lives = 'set -- 0.05 0.9 0.3 2.5 0.15 1.4 4 0.6; shift $(($$ % $#)); life=$1';

/** Programs for the shell, by kind. `@@` stands for the player's own folder. */
const shellPrograms = {
  crashes: `${lives}; sleep "$life"; kill -9 $$`,
  // Children in its group and out of it, which live on when it dies.
  forks: `sleep 1000 & setsid sleep 1000 & (setsid sleep 1000 &); ${lives}; sleep "$life"; kill -9 $$`,
  // Nobody is left in its group: only what it started elsewhere.
  scatters: `(setsid sleep 1000 &); ${lives}; sleep "$life"; kill -9 $$`,
  // Told to end, it leaves a child that does not listen.
  'leaves-one': `(trap '' TERM; exec sleep 1000) & sleep 1000 & wait; wait`,
  'ends-well': `${lives}; sleep "$life"; exit 0`,
  // Numbered lines as fast as the shell can, then a rest; how far it has come is written down after each burst.
  spews: `run=$$-$(cat /proc/sys/kernel/random/uuid); ${lives}; bursts=0; n=0
    while [ "$bursts" -lt $((\${life%%.*} * 4 + 2)) ]; do
      limit=$((n + 400))
      while [ "$n" -lt "$limit" ]; do n=$((n + 1)); echo "$run $n of the lines that must all be there, whole and in order"; done
      echo "$n" >"@@/$run.tmp" && mv "@@/$run.tmp" "@@/$run"
      bursts=$((bursts + 1)); sleep 0.2
    done; kill -9 $$`,
} as const;

/** Answers on its socket, until it does not: then it is alive, and deaf to everything. */
const hangs = `import { serveDaemon } from ${JSON.stringify(serveFile)};
await serveDaemon({ version: '1.0.0' });
setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 500 + (process.pid % 7) * 500);
`;

const serves = `import { serveDaemon } from ${JSON.stringify(serveFile)};
await serveDaemon({ version: '1.0.0', methods: { echo: (params) => params } });
console.log('serving');
`;

const pingOften = { probe: 'ping', intervalMs: 500, timeoutMs: 2_000, threshold: 2, startGraceMs: 0 } as const;
/** Restarts are what is soaked, so that there are many of them. */
const eager = { restart: 'always', restartDelayMs: 20, restartMaxDelayMs: 500, restartLimit: 0, graceMs: 1_000 } as const;

export type Kind = keyof typeof shellPrograms | 'hangs' | 'serves' | 'loops';

export function createPlayer(kind: Kind, number: number, folder: string, home: string): Player {
  const name = `${kind}-${number}`;
  const own = join(folder, 'players', name);
  mkdirSync(own, { recursive: true });
  switch (kind) {
    case 'hangs':
      return player(name, home, [process.execPath, written(own, 'hangs.mjs', hangs)], { ...eager, ready: 'socket', health: pingOften });
    case 'serves':
      return player(name, home, [process.execPath, written(own, 'serves.mjs', serves)], { ...eager, ready: 'socket', health: pingOften });
    case 'loops':
      return player(name, home, ['/bin/sh', written(own, 'loops.sh', 'exit 3')], { ...eager, restartLimit: 4, restartWindowMs: 60_000 });
    case 'ends-well':
      return player(name, home, ['/bin/sh', written(own, 'ends.sh', shellPrograms[kind])], { ...eager, restart: 'on-failure' });
    case 'spews': {
      const program = written(own, 'spews.sh', shellPrograms[kind].replaceAll('@@', own));
      // Small, so that it is rotated all the time; many, so that no line is old enough to go.
      return { ...player(name, home, ['/bin/sh', program], { ...eager, logMaxBytes: 256 * 1_024, logKeep: 1_000 }), truth: own };
    }
    default:
      return player(name, home, ['/bin/sh', written(own, `${kind}.sh`, shellPrograms[kind])], eager);
  }
}

function player(name: string, home: string, command: readonly [string, string], spec: Omit<DaemonOptions, 'name' | 'command'>): Player {
  const [file, program] = command;
  const options: DaemonOptions = { name, command: file, args: [program], home, cwd: '/', ...spec };
  const isLasting = spec.restart === 'always' && spec.restartLimit === 0;
  return { name, options, words: [...wordsOf(options), '--', file, program], program, isLasting, truth: undefined };
}

function wordsOf({
  name,
  restart,
  restartDelayMs,
  restartMaxDelayMs,
  restartLimit,
  graceMs,
  ready,
  health,
  ...spec
}: DaemonOptions): string[] {
  return [
    name,
    ...['--cwd', '/', '--restart', `${restart}`, '--restart-delay', `${restartDelayMs}ms`, '--restart-max-delay', `${restartMaxDelayMs}ms`],
    ...['--restart-limit', `${restartLimit}`, '--grace', `${graceMs}ms`],
    ...(ready === undefined ? [] : ['--ready', ready]),
    ...(spec.logMaxBytes === undefined ? [] : ['--log-max-size', `${spec.logMaxBytes / 1_024}KB`, '--log-keep', `${spec.logKeep}`]),
    ...(health === undefined
      ? []
      : [
          ...['--health', health.probe, '--health-interval', `${health.intervalMs}ms`, '--health-timeout', `${health.timeoutMs}ms`],
          ...['--health-threshold', `${health.threshold}`, '--health-start-grace', `${health.startGraceMs}ms`],
        ]),
  ];
}

function written(folder: string, file: string, text: string): string {
  const path = join(folder, file);
  writeFileSync(path, `${text}\n`);
  return path;
}

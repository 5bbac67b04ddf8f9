import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { DaemonError } from '../../domain/daemon-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where this user's daemons are kept. Relative paths count from the working folder. */
export function homePath(env: Environment, platform: NodeJS.Platform, userHome: () => string = homedir): string {
  if (env.DAEMONRY_HOME) return resolve(env.DAEMONRY_HOME);
  switch (platform) {
    case 'darwin':
      return join(requireHome(userHome), 'Library', 'Application Support', 'daemonry');
    case 'win32':
      return join(env.LOCALAPPDATA || join(requireHome(userHome), 'AppData', 'Local'), 'daemonry');
    default:
      // The XDG rules: a path that is not absolute is to be ignored.
      if (env.XDG_STATE_HOME && isAbsolute(env.XDG_STATE_HOME)) return join(env.XDG_STATE_HOME, 'daemonry');
      return join(requireHome(userHome), '.local', 'state', 'daemonry');
  }
}

function requireHome(userHome: () => string): string {
  const home = userHome();
  if (home && isAbsolute(home)) return home;
  throw new DaemonError('invalid-spec', 'no home folder is known: HOME is not set', { allowed: 'set HOME, DAEMONRY_HOME or --home' });
}

/** `sun_path` less its closing zero byte; on Windows, what a pipe may be called. */
export function longestSocketPathBytes(platform: NodeJS.Platform): number {
  if (platform === 'win32') return 256;
  return platform === 'linux' || platform === 'android' ? 107 : 103;
}

/** A named pipe of Windows is no file: to look at it as one would be to connect to it. */
export function isPipeName(path: string): boolean {
  return path.startsWith('\\\\.\\pipe\\') || path.startsWith('\\\\?\\pipe\\');
}

/** Whether a socket can be had there at all: on Windows sockets are named pipes. */
export function isSocketPlace(path: string, platform: NodeJS.Platform): boolean {
  return platform !== 'win32' || isPipeName(path);
}

export function fitsSocketPath(path: string, platform: NodeJS.Platform): boolean {
  return Buffer.byteLength(path) <= longestSocketPathBytes(platform);
}

/** Folders for sockets, the best first: the user's runtime folder, the daemon's own, a short one under the temp directory. */
export function* socketFolders(env: Environment, daemonFolder: string): Generator<string, void> {
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime && isAbsolute(runtime)) yield join(runtime, 'daemonry');
  yield daemonFolder;
  const ours = `daemonry-${process.geteuid?.() ?? userInfo().username}`;
  yield join(tmpdir(), ours);
  yield `/tmp/${ours}`;
}

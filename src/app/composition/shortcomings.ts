import { hasFlock } from '../../adapters/linux/flock.js';
import type { MachineSettings } from './settings.js';
import { windowsShortcomings } from './windows.js';

/** What this system lacks, whatever is started on it. */
export interface Shortcoming {
  readonly code: 'no-kernel-lock' | 'confining-job';
  readonly message: string;
  readonly hint: string;
}

const noKernelLock: Shortcoming = {
  code: 'no-kernel-lock',
  message: 'there is no flock: the lifecycle lock is held by a claim file, not by the kernel',
  hint: 'install util-linux, or a busybox that has flock',
};

export function shortcomingsOf({ platform, env }: MachineSettings): readonly Shortcoming[] {
  switch (platform) {
    case 'linux':
      return hasFlock(env.PATH) ? [] : [noKernelLock];
    case 'win32':
      return windowsShortcomings();
    default:
      return [];
  }
}

/** What to do where processes can't be told apart. */
export function wayToProcesses(platform: NodeJS.Platform): string {
  switch (platform) {
    case 'linux':
      return 'mount /proc';
    case 'win32':
      return 'npm install daemonry again, with its optional dependencies, on Windows of x64 or arm64';
    default:
      return 'leave the sandbox';
  }
}

/** What the system never lets a daemon do, where others do: no fault of this machine. */
export function limitsOf(platform: NodeJS.Platform): readonly string[] {
  if (platform !== 'win32') return [];
  return [
    'Windows lets nobody remove or rename the working folder, the program and the modules of a daemon that runs: stop it before an upgrade, or give it a --cwd outside',
    'Windows has no signals: a daemon that does not speak the control protocol is sent CTRL_BREAK, whatever its stop signal is',
  ];
}

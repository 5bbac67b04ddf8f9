import { resolve } from 'node:path';
import type { FileSettings } from '../../adapters/files/file-descriptor-repo.js';
import { homePath } from '../../adapters/files/home.js';

/** What one composition is made for: a home, an environment and a platform. */
export interface MachineSettings extends FileSettings {
  /** Locks are claimed in writing where that goes; see `FileLifecycleLock`. */
  readonly claimsFirst?: boolean;
  /** This program runs no code but ours, and has no more foreign descriptors than it was started with: they are looked for once. */
  readonly isOursAlone?: boolean;
}

export interface SettingsOptions {
  /** Instead of `DAEMONRY_HOME` and the platform's usual place. Relative paths count from the working folder. */
  readonly home?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

export function machineSettings(options: SettingsOptions = {}): MachineSettings {
  const env = options.env ?? process.env;
  const { platform } = process;
  return { home: options.home === undefined ? homePath(env, platform) : resolve(options.home), env, platform };
}

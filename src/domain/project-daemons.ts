import type { DaemonSpec } from './daemon-spec.js';
import type { DaemonView } from './look.js';
import type { ProcessEnd } from './ports.js';
import type { StartResult } from './start-daemon.js';
import type { StopResult } from './stop-daemon.js';

export interface BringUpOptions {
  /** Aborting it ends a daemon that is being started. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, as soon as there is a process: before it is ready. */
  readonly onLaunched?: (() => void) | undefined;
}

/** How a daemon ended: `undefined` while it runs, `unknown` where nobody is left who was told. */
export type KnownEnd = ProcessEnd | 'unknown' | undefined;

/**
 * All that a project does with its daemons, each by its full name. Who keeps them alive, if anybody, stands behind it.
 * Each call throws what the use case of the same name throws.
 */
export interface ProjectDaemons {
  /** Every name that was ever kept in this home. */
  names(): Promise<readonly string[]>;
  look(name: string): Promise<DaemonView>;
  remembered(name: string): Promise<DaemonSpec | undefined>;
  start(name: string, spec: DaemonSpec, options: BringUpOptions): Promise<StartResult>;
  /** Ends what runs and starts it as the spec says, with nobody in between. */
  replace(name: string, spec: DaemonSpec, options: BringUpOptions): Promise<StartResult>;
  stop(name: string, signal?: AbortSignal): Promise<StopResult>;
  /** One bounded probe of its health. */
  isHealthy(name: string, spec: DaemonSpec): Promise<boolean>;
  exitOf(name: string): Promise<KnownEnd>;
}

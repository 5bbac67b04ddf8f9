import type { Awaitable } from './ports.js';

/** What starts a service when the machine, or its user, is back. */
export type ServiceManager = 'systemd' | 'launchd' | 'windows-task';

/** Stands in the record of a daemon that a service keeps: whose it is to bring it back. */
export interface ServiceReference {
  readonly manager: ServiceManager;
  readonly id: string;
}

export interface ServiceTimes {
  /** `daemonry-clock`: what the service is called there. */
  readonly id: string;
  /** How long its daemons may take to get ready, and to end. */
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
}

/** What a service manager is to be told of one service. It is the same for all of them; each says it in its own words. */
export interface ServiceEntry extends ServiceTimes {
  readonly description: string;
  /** The program and its arguments, by absolute paths. It stays in the foreground, and ends its daemons when it is told to end. */
  readonly command: readonly string[];
  /** Where its relative paths count from, if it has any. */
  readonly cwd?: string;
  /** So many failures within the window, and it is left alone. 0: never. */
  readonly restartLimit: number;
  readonly restartWindowMs: number;
}

/** Ends with this where there is no use in starting it again: its daemon fell into a crash loop. */
export const exitCodeGivenUp = 100;

/** Why a service that is installed will not be started at the next boot, or not by itself. */
export interface BootObstacle {
  readonly code: 'not-lingering' | 'at-login' | 'disabled';
  readonly message: string;
  readonly hint: string;
  /** It comes up all the same, but only when its user logs in. */
  readonly untilLogin: boolean;
}

/** What is seen of one service. */
export interface ServiceSighting {
  /** The definition as it stands there; `undefined` where there is none. */
  readonly definition: string | undefined;
  /** Whether the manager runs it now; `undefined` where that can't be told. */
  readonly isRunning: boolean | undefined;
  readonly obstacles: readonly BootObstacle[];
}

/**
 * The service manager of a system, for the services of this user. Each call may take as long as the manager does.
 * Throws `no-service-manager` where there is none, `autostart-failed` where it refuses, `not-permitted`, `unwritable`.
 */
export interface AutostartInstaller {
  readonly manager: ServiceManager;
  /** Whether `sight` gives a definition back as it was written. */
  readonly keepsText: boolean;
  /** Where the definition of a service stands: a path, or what the manager calls it. */
  place(id: string): string;
  /** The definition: the same entry makes the same text. */
  define(entry: ServiceEntry): string;
  /** Throws `no-service-manager` unless it can be asked now. */
  insist(): Awaitable<void>;
  /** Writes the definition and has it started at each boot, or login, from the next on. */
  install(entry: ServiceEntry): Awaitable<void>;
  /** Ends the service and takes its definition away. What is not there is no failure. */
  uninstall(id: string): Awaitable<void>;
  /** Starts the service, and ends it before where it runs. Returns at the latest when its daemons are ready, or it has failed. */
  restart(service: ServiceTimes): Promise<void>;
  /** Changes nothing. */
  sight(id: string): Awaitable<ServiceSighting>;
  /** Has this user's services started without a login. Returns the command that would, where that is not permitted. */
  linger(): Awaitable<string | undefined>;
}

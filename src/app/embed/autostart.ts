import type { BootObstacle } from '../../domain/autostart-installer.js';
import type { BootReason, NextBoot } from '../autostart/autostart-status.js';
import type { ExportTarget } from '../autostart/export-daemon.js';

/** A daemon that was started once, by its name, or all of a project file. */
export type AutostartSubject = { readonly name: string } | { readonly file: string };

/** Which daemons are meant. */
export interface AutostartPlace {
  /** Where the daemons are kept; `DAEMONRY_HOME` or the platform's usual place unless given. */
  readonly home?: string | undefined;
}

/** How a daemon, or a project, comes to be started with the machine. */
export interface EnableAutostartOptions extends AutostartPlace {
  /** False: only installs it. Else the service manager starts it now, and this resolves when it is ready. */
  readonly verify?: boolean | undefined;
  /** Has this user's services started without a login too, where that is permitted. */
  readonly linger?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What has been installed, and what it waits for. */
export interface AutostartEnabled {
  readonly outcome: 'enabled' | 'already-enabled';
  /** What the service manager calls it. */
  readonly service: string;
  readonly definition: string;
  readonly names: readonly string[];
  readonly verified: boolean;
  /** Those that ran before, and that the service manager has started anew. */
  readonly takenOver: readonly string[];
  /** What stands between the next boot and it, and what to do about that. */
  readonly obstacles: readonly BootObstacle[];
}

/** What has been taken away. */
export interface AutostartDisabled {
  readonly outcome: 'disabled' | 'not-enabled';
  readonly names: readonly string[];
}

/** What the next start of the machine will do about one daemon. */
export interface DaemonAutostart {
  readonly name: string;
  readonly enabled: boolean;
  readonly service: string | null;
  /** Whether it runs by its service now, and not otherwise. */
  readonly managed: boolean;
  /** At the next start of the machine. */
  readonly boot: NextBoot;
  readonly reasons: readonly BootReason[];
}

/**
 * Has a daemon, or a project, started with the machine or at the login of its user: by systemd, launchd or the Task Scheduler.
 *
 * @example
 * await daemon.ensure();
 * const { obstacles } = await autostart.enable({ name: 'acme' });
 */
export interface Autostart {
  /** Throws `not-found`, `no-service-manager`, `autostart-failed`, what the start of a daemon throws, `unwritable`, `not-permitted`. */
  enable(subject: AutostartSubject, options?: EnableAutostartOptions): Promise<AutostartEnabled>;
  /** Takes the service away, and stops what it keeps. Throws `other-project` for one daemon of an enabled project. */
  disable(subject: AutostartSubject, options?: AutostartPlace): Promise<AutostartDisabled>;
  /** Of these daemons, or of all of the home. Starts and changes nothing. */
  status(names?: readonly string[], options?: AutostartPlace): Promise<readonly DaemonAutostart[]>;
  /**
   * A daemon's definition in the words of another manager; `warnings` say what could not be said in them. Installs nothing.
   * Throws `not-found`, and `command-not-found`, `not-executable` or `invalid-spec` for what its spec names and is gone.
   */
  export(
    name: string,
    to: ExportTarget,
    options?: AutostartPlace,
  ): Promise<{ readonly text: string; readonly warnings: readonly string[] }>;
}

/** See `Autostart`. */
export const autostart: Autostart = {
  enable: async (...args) => (await load()).enable(...args),
  disable: async (...args) => (await load()).disable(...args),
  status: async (...args) => (await load()).status(...args),
  export: async (...args) => (await load()).export(...args),
};

/** At its first use, unlike all else of the library: it is for the moment of an installation, and as large as the rest together. */
function load(): Promise<Autostart> {
  return import('./autostart-functions.js').then(({ autostartFunctions }) => autostartFunctions);
}

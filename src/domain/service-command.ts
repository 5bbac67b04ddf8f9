import type { DaemonSpec } from './daemon-spec.js';

/** A daemon as it is handed to somebody else: its spec, with all that its command names found. */
export interface ServiceCommand {
  /** As its new keeper shall call it. */
  readonly id: string;
  readonly name: string;
  /** The program by its absolute path, then its arguments. */
  readonly command: readonly string[];
  readonly spec: DaemonSpec;
  /** Where its output goes, for managers that have no log of their own. */
  readonly log: string;
}

/** A definition, and what could not be said in it. */
export interface ServiceText {
  readonly text: string;
  readonly warnings: readonly string[];
}

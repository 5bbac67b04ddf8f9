/**
 * The verbs of a daemon in a host's own command line.
 *
 * @module daemonry/clipanion
 * @packageDocumentation
 */

export { type DaemonVerbIo, runDaemonVerb } from '../mount/run-daemon-verb.js';
export { type DaemonCommandsOptions, daemonCommands } from './daemon-commands.js';

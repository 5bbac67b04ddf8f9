export { type DaemonVerbIo, runDaemonVerb } from '../mount/run-daemon-verb.js';
export { type DaemonCommandsOptions, daemonCommands } from './daemon-commands.js';

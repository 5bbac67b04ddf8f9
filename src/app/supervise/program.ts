import { machineSettings } from '../composition/settings.js';
import { composeSupervisingMachine } from '../composition/supervising.js';
import { serveDaemon } from '../serve/serve-daemon.js';
import { ResidentSupervisor } from './resident-supervisor.js';
import { foregroundVariable } from './supervisor-spec.js';

declare const DAEMONRY_VERSION: string;

/** How long it stays when it has nothing to do: for the next who asks. */
const idleMs = 2_000;

const [home] = process.argv.slice(2);
const isForeground = process.env[foregroundVariable] === '1';
delete process.env[foregroundVariable];

// No stack trace ever reaches a user, not even in a log.
Error.stackTraceLimit = 0;
const resident = new ResidentSupervisor(composeSupervisingMachine({ ...machineSettings({ home }), isOursAlone: true }), process.env);
process.on('uncaughtException', (error) => resident.log(`failed: ${error.message}`));
await serveDaemon({
  version: DAEMONRY_VERSION,
  methods: resident.methods,
  ...(isForeground ? {} : { idle: idleMs, isBusy: () => resident.isBusy }),
  onReload: () => resident.supervisor.reload(),
  // In somebody's foreground they end together; else nobody notices.
  onStop: () => (isForeground ? resident.stopAll() : resident.supervisor.leave()),
});
if (isForeground) for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => void resident.supervisor.forward(signal));
await Promise.all([resident.takeOver(), resident.boundLogs()]);

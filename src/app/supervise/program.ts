import { machineSettings } from '../composition/settings.js';
import { composeSupervisingMachine } from '../composition/supervising-machine.js';
import { type ServedDaemon, serveDaemon } from '../serve/serve-daemon.js';
import { ResidentSupervisor } from './resident-supervisor.js';
import { foregroundVariable } from './supervisor-spec.js';

declare const DAEMONRY_VERSION: string;

/** How long it stays when it has nothing to do: for the next who asks. */
const idleMs = 2_000;

/** Nothing tells a process that its parent has ended; to ask is one system call. */
const parentPollMs = 500;

const [home] = process.argv.slice(2);
const foreground = process.env[foregroundVariable];
const isForeground = foreground !== undefined;
delete process.env[foregroundVariable];

// No stack trace ever reaches a user, not even in a log.
Error.stackTraceLimit = 0;
const resident = new ResidentSupervisor(composeSupervisingMachine({ ...machineSettings({ home }), isOursAlone: true }), process.env);
process.on('uncaughtException', (error) => resident.log(`failed: ${error.message}`));
main().catch((error) => {
  resident.log(`failed: ${error.message}`);
  process.exit(1);
});

async function main(): Promise<void> {
  const served = await serveDaemon({
    version: DAEMONRY_VERSION,
    methods: resident.methods,
    ...(isForeground ? {} : { idle: idleMs, isBusy: () => resident.isBusy }),
    onReload: () => resident.supervisor.reload(),
    // In somebody's foreground they end together; else nobody notices.
    onStop: () => (isForeground ? resident.stopAll() : resident.supervisor.leave()),
  });
  if (isForeground) {
    endWithParent(Number(foreground), served);
    for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => void resident.supervisor.forward(signal));
  }
  await Promise.all([resident.takeOver(), resident.boundLogs()]);
}

/** Whoever has us in the foreground may be killed, and can't say so then: a lost foreground is an ended one. */
function endWithParent(parent: number, served: ServedDaemon): void {
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    resident.log(`its foreground (pid ${parent}) is gone: it ends, and its daemons with it`);
    served.stop();
  }, parentPollMs);
  check.unref();
}

import { spawnSync } from 'node:child_process';
import { delimiter } from 'node:path';
import { ServiceFiles } from '../../adapters/autostart/service-files.js';
import { machineSettings } from '../composition/settings.js';
import { composeSupervisingMachine } from '../composition/supervising-machine.js';
import { KeptService } from './kept-service.js';

/** As long as systemd's own tools wait for an answer. */
const notifyTimeoutMs = 5_000;

const longestPauseMs = 2 ** 30;

const [home, id = ''] = process.argv.slice(2);
// Ours, and not for the daemons: theirs is the readiness of their specs.
const { NOTIFY_SOCKET, WATCHDOG_USEC: _usec, WATCHDOG_PID: _pid, ...env } = process.env;
for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete process.env[name];

// No stack trace ever reaches a user, not even in a journal.
Error.stackTraceLimit = 0;
process.on('uncaughtException', (error) => say(`failed: ${error.message}`));
process.exitCode = await keep();

async function keep(): Promise<number> {
  const settings = machineSettings({ home });
  const files = new ServiceFiles(settings.home, settings.platform);
  const record = files.record(id);
  if (!record) {
    say(`no service named ${id} is installed in ${settings.home}: daemonry autostart disable takes away what is left of it`);
    return 1;
  }
  addToPath(record.folders);
  const machine = composeSupervisingMachine({ ...settings, isOursAlone: true });
  const service = new KeptService(machine, files, record, { say, ready: notify });
  let stopping: Promise<void> | undefined;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stopping ??= service.stop();
    });
  }
  process.on('SIGHUP', () => void service.reload());
  // To watch over a daemon keeps no program alive; this one is here for nothing else.
  const hold = setInterval(() => {}, longestPauseMs);
  const exitCode = await service.run();
  await stopping;
  clearInterval(hold);
  return exitCode;
}

/** Behind what is there already. */
function addToPath(folders: readonly string[]): void {
  const there = (process.env.PATH ?? '').split(delimiter);
  process.env.PATH = [...there, ...folders.filter((folder) => !there.includes(folder))].join(delimiter);
}

function say(text: string): void {
  process.stdout.write(`${text.split('\n', 1)[0]}\n`);
}

/** Node has no datagrams of Unix; systemd brings a tool along that sends them. */
function notify(status: string): void {
  say(status);
  if (NOTIFY_SOCKET === undefined) return;
  const { status: exitCode } = spawnSync('systemd-notify', ['--ready', `--status=${status.split('\n', 1)[0]}`], {
    env: { ...env, NOTIFY_SOCKET },
    stdio: 'ignore',
    timeout: notifyTimeoutMs,
  });
  if (exitCode !== 0) say('systemd-notify could not tell systemd that all is ready');
}

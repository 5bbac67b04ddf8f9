import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, test } from 'vitest';
import type { ContractPrograms } from './contract-machine.js';
import { describeContracts } from './contracts.js';
import { realMachine, removePrograms } from './real-contract-machine.js';

afterAll(removePrograms);

/** Wine refuses CTRL_BREAK, so that there every signal is the end. */
const isWine = existsSync(join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'winecfg.exe'));

// Under Wine too, through test/containers/wine.test.ts.
if (process.platform === 'win32') {
  describeContracts({
    name: 'win32',
    can: {
      mortalActors: true,
      launchGate: true,
      otherUsers: false,
      hiddenProcesses: false,
      shell: true,
      http: true,
      zombies: false,
      ignorableSignals: !isWine,
      endsBySignal: false,
      emptyGroups: false,
      seesHandlers: false,
      posixShell: false,
      reloads: true,
      logCuts: false,
    },
    create: async () =>
      realMachine({ remove, programs: createPrograms, socket: (folder, file) => `\\\\.\\pipe\\${basename(folder)}-${file}` }),
  });
} else {
  test.skip('contracts of the Windows adapters [no Windows here]');
}

/** Under Wine, the console host of a process that was ended while it started waits for it for ever, and has inherited its log. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    if (!['ENOTEMPTY', 'EBUSY', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function createPrograms(folder: string): ContractPrograms {
  const script = (text: string, ...args: readonly string[]) => [process.execPath, '-e', text, ...args];
  const sleep = 'setTimeout(() => {}, 1e6);';
  const notExecutable = join(folder, 'not-executable');
  writeFileSync(notExecutable, '');
  const child = `require('child_process').spawn(process.execPath, ['-e', '${sleep}'], { stdio: 'ignore', detached: true, windowsHide: true })`;
  return {
    sleeps: script(sleep),
    ignoresSigterm: script(`process.on('SIGBREAK', () => {}); console.log('ignoring'); ${sleep}`),
    exits: (code) => script('process.exit(Number(process.argv[1]))', String(code)),
    prints: (...lines) => script(`for (const line of process.argv.slice(1)) console.log(line); ${sleep}`, ...lines),
    // Not a child of Node's job, which would end with its parent.
    forks: script(`${child}.once('spawn', () => console.log('forked')); ${sleep}`),
    keepsZombie: ['never asked for'],
    absent: ['daemonry-no-such-command'],
    notExecutable: [notExecutable],
    printsVariable: (name) => script(`console.log(process.env[process.argv[1]]); ${sleep}`, name),
    printsFolder: script(`console.log(process.cwd()); ${sleep}`),
    readsInput: script(`process.stdin.resume().on('end', () => console.log('end of input')); ${sleep}`),
  };
}

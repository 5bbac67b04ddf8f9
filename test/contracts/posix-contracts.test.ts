import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { Fallocate } from '../../src/adapters/linux/fallocate.js';
import { composeMachine } from '../../src/app/composition/compose.js';
import { machineSettings } from '../../src/app/composition/settings.js';
import type { ContractPrograms } from './contract-machine.js';
import { describeContracts } from './contracts.js';
import { realMachine, removePrograms } from './real-contract-machine.js';

const isRoot = process.geteuid?.() === 0;
const everybody = process.platform === 'win32' ? [] : await composeMachine(machineSettings({ env: process.env })).inspector.survey();
/** In a container everybody may be us. */
const othersAreHere = everybody.some(({ pid, uid, zombie }) => pid > 1 && uid !== process.geteuid?.() && !zombie);

afterAll(removePrograms);

// The same suites that the simulated machine passes in test/simulation, on the machine that we are on.
if (process.platform !== 'win32') {
  describeContracts({
    name: `${process.platform}${isRoot ? ', as root' : ''}`,
    can: {
      mortalActors: true,
      launchGate: existsSync('/bin/sh'),
      otherUsers: !isRoot && othersAreHere,
      hiddenProcesses: false,
      shell: true,
      http: true,
      zombies: true,
      ignorableSignals: true,
      endsBySignal: true,
      emptyGroups: true,
      seesHandlers: process.platform === 'linux',
      posixShell: true,
      reloads: true,
      logCuts: process.platform === 'linux' && (await new Fallocate(process.env).ability(join(tmpdir(), 'daemon.log'))).kind !== 'none',
    },
    create: async () =>
      realMachine({ programs: createPrograms, socket: join, remove: (folder) => rmSync(folder, { recursive: true, force: true }) }),
  });
}

function createPrograms(folder: string): ContractPrograms {
  const script = (text: string, ...args: readonly string[]) => ['/bin/sh', '-c', text, 'sh', ...args];
  const notExecutable = join(folder, 'not-executable');
  writeFileSync(notExecutable, '#!/bin/sh\n', { mode: 0o600 });
  return {
    sleeps: ['sleep', '1000'],
    // What is ignored stays ignored through an exec.
    ignoresSigterm: script('trap "" TERM; echo ignoring; exec sleep 1000'),
    exits: (code) => script('exit "$1"', String(code)),
    prints: (...lines) => script('printf "%s\\n" "$@"; exec sleep 1000', ...lines),
    forks: script('sleep 1000 & echo forked; wait'),
    // Who becomes another program does not wait for the children of the one before.
    keepsZombie: script('echo forked & exec sleep 1000'),
    absent: ['daemonry-no-such-command'],
    notExecutable: [notExecutable],
    printsVariable: (name) => script('printenv "$1"; exec sleep 1000', name),
    printsFolder: script('pwd; exec sleep 1000'),
    readsInput: script('cat; echo end of input; exec sleep 1000'),
  };
}

import { spawnSync } from 'node:child_process';
import { commandLine } from './suite.js';

/** The user `nobody` of most systems: owner of nothing here. */
export const otherUser = 65_534;

/** Whether this process may become that user, and that one may run what was built. */
export const othersCanRun =
  process.getuid?.() === 0 && spawnSync(process.execPath, [commandLine, '--version'], { uid: otherUser, cwd: '/' }).status === 0;

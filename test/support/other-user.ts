import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { commandLine } from './suite.js';

/** The user `nobody` of most systems: owner of nothing here. */
export const otherUser = 65_534;

/** Whether this process may become that user, and that one may run what was built. */
export const othersCanRun =
  process.getuid?.() === 0 && spawnSync(process.execPath, [commandLine, '--version'], { uid: otherUser, cwd: '/' }).status === 0;

/** Whether this process may look into one of that user's, too. Root of a container may not. */
export const othersAreSeen = othersCanRun && maySee();

function maySee(): boolean {
  const other = spawn('sleep', ['60'], { uid: otherUser, cwd: '/', stdio: 'ignore' });
  try {
    return readFileSync(`/proc/${other.pid}/environ`) !== undefined;
  } catch {
    return false;
  } finally {
    other.kill('SIGKILL');
  }
}

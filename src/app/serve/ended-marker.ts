import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { filesBeside } from '../../adapters/files/daemon-files.js';
import { readOwnFile, temporaryPath } from '../../adapters/files/safe-files.js';
import type { OwnPlace } from './own-place.js';
import { ownershipOf } from './ownership.js';

/**
 * Leaves word beside the descriptor that this instance ended by itself, cleanly: so it reads as stopped, not as stale. Only
 * while the descriptor names us: beside another's it would say nothing, and might replace what that one left.
 */
export function leaveEndedMarker({ descriptor, instanceId }: Pick<OwnPlace, 'descriptor' | 'instanceId'>): void {
  const { ended } = filesBeside(descriptor);
  const temporary = temporaryPath(ended);
  try {
    // Never by way of a pipe, which would hold up the end, nor of a file without one.
    const file = readOwnFile(descriptor);
    if (!file || !('text' in file) || ownershipOf(file.text, instanceId) !== 'ours') return;
    writeFileSync(temporary, `${instanceId}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(temporary, ended);
  } catch {
    // A marker that can't be written leaves the descriptor stale, which the next start clears.
    rmSync(temporary, { force: true });
  }
}

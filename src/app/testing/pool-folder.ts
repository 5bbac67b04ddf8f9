import { lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { decodeHolder, encodeHolder } from '../../adapters/files/lock-holder.js';
import { randomId } from '../../adapters/files/random-id.js';
import { readOwnFile } from '../../adapters/files/safe-files.js';
import { isDead } from '../../domain/identity.js';
import { look, sight } from '../../domain/look.js';
import type { Machine } from '../../domain/ports.js';
import { composeMachine } from '../composition/compose.js';
import { machineSettings } from '../composition/settings.js';

/** Short: sockets stand in it, whose paths must not be long. */
const prefix = 'dp-';
const ownerFile = '.owner';

let isSwept = false;

/** A folder for one daemon of a pool of this program, which says so. */
export async function makePoolFolder(): Promise<string> {
  if (!isSwept) {
    isSwept = true;
    await removeAbandoned(realpathSync(tmpdir()));
  }
  const folder = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  const here = await machineOf(folder).inspector.vantage();
  writeFileSync(join(folder, ownerFile), encodeHolder({ ...here, by: 'claim', nonce: randomId() }), { mode: 0o600 });
  return folder;
}

/**
 * A program that ended without `dispose()`, as by a signal, could remove nothing of its own: the next one does it for it. Not while
 * a daemon still runs there, whose record that would take away.
 */
async function removeAbandoned(parent: string): Promise<void> {
  const folders = namesIn(parent)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(parent, name));
  const living = folders.length === 0 ? [] : await livingDescriptors(machineOf(parent));
  for (const folder of folders) {
    try {
      if (await isAbandoned(folder, living)) rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody else's, or somebody else was quicker: nothing that a test could be failed over.
    }
  }
}

async function isAbandoned(folder: string, living: readonly string[]): Promise<boolean> {
  const file = lstatSync(folder).isDirectory() && readOwnFile(join(folder, ownerFile));
  const owner = file && 'text' in file ? decodeHolder(file.text) : undefined;
  if (!owner) return false;
  const isInUse = living.some((descriptor) => descriptor.startsWith(folder + sep));
  return !isInUse && isDead(await sight(machineOf(folder).inspector, owner)) && !(await isOnRecord(folder));
}

async function isOnRecord(folder: string): Promise<boolean> {
  for (const home of namesIn(folder).filter((one) => /^\d+$/.test(one))) {
    const machine = machineOf(join(folder, home));
    for (const name of await machine.descriptors.names()) {
      const { state } = await look(machine, { name });
      if (state === 'running' || state === 'unknown') return true;
    }
  }
  return false;
}

/** Of whoever lives that was started as a daemon, on whatever record. */
async function livingDescriptors({ inspector }: Machine): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { pid, zombie } of await inspector.survey()) {
    const marks = zombie ? undefined : await inspector.marksOf(pid);
    if (marks) found.push(marks.descriptor);
  }
  return found;
}

function machineOf(home: string): Machine {
  return composeMachine(machineSettings({ home }));
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

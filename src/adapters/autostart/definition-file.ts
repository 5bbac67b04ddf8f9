import { mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, naming } from '../files/file-errors.js';
import { removeIfThere, writeAtomically } from '../files/safe-files.js';

/** The definition that stands there; `undefined` where there is none. */
export function readDefinition(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error))) return undefined;
    return naming(path, 'read', () => {
      throw error;
    });
  }
}

/** In a folder of the user's own, whose modes are his affair: it is nothing that daemonry keeps secrets in. */
export function writeDefinition(path: string, text: string): void {
  naming(path, 'write', () => mkdirSync(dirname(path), { recursive: true }));
  writeAtomically(path, text);
}

export function removeDefinition(path: string): void {
  naming(path, 'write', () => removeIfThere(path));
}

import { DaemonError } from './daemon-error.js';
import { fact, invalidOption } from './option-checks.js';
import { shown } from './shown.js';

const shape = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const windowsDevice = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$/i;

export const nameRule = 'a name has 1 to 64 of A-Z a-z 0-9 . _ -, begins with a letter or digit, ends with no dot, and is no reserved word';

/** The daemon that keeps others running. Nobody else may have its name. */
export const supervisorName = 'supervisor';

/** Returns the name, or throws `invalid-name`: it becomes a folder on every system, Windows included. `invalid-spec` for no text. */
export function checkedName(name: unknown): string {
  const checked = checkedFolderName(name);
  if (!sameName(checked, supervisorName)) return checked;
  throw invalidName(checked);
}

/** The same, and the supervisor's too: for verbs that only look at a daemon, or end it. */
export function checkedFolderName(name: unknown): string {
  if (typeof name !== 'string') throw invalidOption('name', name, nameRule);
  if (shape.test(name) && !name.endsWith('.') && !windowsDevice.test(name)) return name;
  throw invalidName(name);
}

function invalidName(name: string): DaemonError {
  return new DaemonError('invalid-name', `invalid name ${shown(name)}`, { name: fact(name), allowed: nameRule });
}

/** Names are compared without case, since some file systems do. */
export function sameName(a: string, b: string): boolean {
  return nameKey(a) === nameKey(b);
}

/** What all spellings of a name have in common. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

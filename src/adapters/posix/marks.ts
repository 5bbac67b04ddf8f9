import type { DaemonMarks, Environment } from '../../domain/ports.js';

/** What `/proc/<pid>/environ` and its like hold. */
export function parseEnviron(text: string): Environment {
  const entries = text.split('\0').filter((entry) => entry.indexOf('=') > 0);
  // Not by assignment: a variable may be named __proto__.
  return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}

/** Finds a daemon's marks among `NAME=value` entries. */
export function parseMarks(entries: readonly string[]): DaemonMarks | undefined {
  const instanceId = markAfter(entries, 'DAEMONRY_INSTANCE=');
  return instanceId ? { instanceId, descriptor: markAfter(entries, 'DAEMONRY_DESCRIPTOR=') ?? '' } : undefined;
}

function markAfter(entries: readonly string[], prefix: string): string | undefined {
  return entries.find((entry) => entry.startsWith(prefix))?.slice(prefix.length);
}

import type { DaemonMarks } from '../../domain/ports.js';

/** Finds a daemon's marks among `NAME=value` entries. */
export function parseMarks(entries: readonly string[]): DaemonMarks | undefined {
  const instanceId = markAfter(entries, 'DAEMONRY_INSTANCE=');
  return instanceId ? { instanceId, descriptor: markAfter(entries, 'DAEMONRY_DESCRIPTOR=') ?? '' } : undefined;
}

function markAfter(entries: readonly string[], prefix: string): string | undefined {
  return entries.find((entry) => entry.startsWith(prefix))?.slice(prefix.length);
}

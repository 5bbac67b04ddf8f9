import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Everything under a folder, to hold against a later look: names, kinds, modes, times of change and contents. */
export function snapshot(folder: string): Readonly<Record<string, string>> {
  return Object.fromEntries(pathsUnder(folder).map((path) => [relative(folder, path) || '.', describe(path)]));
}

function pathsUnder(path: string): readonly string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  return [path, ...(stat.isDirectory() ? readdirSync(path).flatMap((name) => pathsUnder(join(path, name))) : [])];
}

function describe(path: string): string {
  const stat = lstatSync(path, { bigint: true });
  const content = stat.isFile() ? readFileSync(path, 'latin1') : stat.isSymbolicLink() ? readlinkSync(path) : '';
  return `${stat.mode.toString(8)} ${stat.uid} ${stat.mtimeNs} ${content}`;
}

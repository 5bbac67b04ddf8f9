import { isAbsolute, join, relative } from 'node:path';
import { stringify } from 'yaml';
import { schemaId } from '../project-shape.js';
import type { ImportedEntry, ImportedProject } from './imported-project.js';

/** The data of a project file in `folder` for what was imported from another one: paths count from where the file stands. */
export function projectData(
  imported: ImportedProject & { readonly folder: string },
  folder: string,
): { daemons: Record<string, ImportedEntry> } {
  const offset = relative(folder, imported.folder);
  return {
    daemons:
      offset === ''
        ? imported.daemons
        : Object.fromEntries(Object.entries(imported.daemons).map(([key, entry]) => [key, moved(entry, offset)])),
  };
}

function moved(entry: ImportedEntry, offset: string): ImportedEntry {
  const within = (path: unknown) => (typeof path === 'string' && !isAbsolute(path) ? join(offset, path) : path);
  const paths = ['env_file', 'log'].flatMap((key) => (entry[key] === undefined ? [] : [[key, within(entry[key])] as const]));
  const { command, ...rest } = entry;
  return { command, ...rest, cwd: within(entry.cwd ?? '.'), ...Object.fromEntries(paths) };
}

export function projectYaml(data: unknown): string {
  return `# yaml-language-server: $schema=${schemaId}\n${stringify(data, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

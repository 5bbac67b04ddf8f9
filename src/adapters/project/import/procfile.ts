import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { splitCommand } from '../../../domain/split-command.js';
import { ImportedDaemons, type ImportedProject, type ImportSource } from './imported-project.js';

const firstPort = 5_000;
const portsApart = 100;

/** `name: command`, one a line; a command is one for the shell. */
export function importProcfile({ text, folder }: ImportSource): ImportedProject {
  const imported = new ImportedDaemons();
  // Foreman gives its processes what stands there.
  const envFile = existsSync(join(folder, '.env')) ? '.env' : undefined;
  let count = 0;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name, command = ''] = /^([A-Za-z0-9_-]+):\s*(.+)$/.exec(line) ?? [];
    if (name === undefined) {
      imported.warn(`line ${index + 1} is left out: it is not name: command`);
      continue;
    }
    imported.add(name, { command: commandOf(command.trim()), env_file: envFile, env: portOf(imported, name, command, count++) });
  }
  return imported;
}

/** Through a shell only where it takes one. */
function commandOf(line: string): readonly string[] {
  const words = splitCommand(line);
  return typeof words === 'string' ? ['sh', '-c', line] : words;
}

/** As foreman numbers them. */
function portOf(imported: ImportedDaemons, name: string, command: string, index: number): Record<string, number> | undefined {
  if (!/\$(PORT\b|\{PORT\b)/.test(command)) return undefined;
  const port = firstPort + index * portsApart;
  imported.warn(`${name} uses $PORT, which is set to ${port} as foreman would`);
  return { PORT: port };
}

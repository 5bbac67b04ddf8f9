import { basename, dirname, extname } from 'node:path';
import { DaemonError } from '../../../domain/daemon-error.js';
import { readTextFile } from '../project-text.js';
import { importEcosystem } from './ecosystem.js';
import { evaluateConfig } from './evaluate-config.js';
import type { ImportedProject } from './imported-project.js';
import { importProcfile } from './procfile.js';
import { importSupervisord } from './supervisord.js';

const kinds = 'a Procfile, an ecosystem.config.js, .cjs, .mjs or .json, or a supervisord.conf';

/**
 * Reads another process manager's configuration; its kind is told by its name. One in JavaScript is run. Throws
 * `not-found`, `not-permitted`, `invalid-project`.
 */
export async function importProject(
  given: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ImportedProject & { readonly folder: string }> {
  const { path: file, text } = readTextFile(given);
  const folder = dirname(file);
  const imported = await importByKind({ file, folder, text, env });
  if (imported && Object.keys(imported.daemons).length > 0) return { ...imported, daemons: { ...imported.daemons }, folder };
  throw new DaemonError('invalid-project', `${file} names nothing to run`, { path: file, allowed: `it is to be ${kinds}` });
}

function importByKind(source: { file: string; folder: string; text: string; env: Readonly<Record<string, string | undefined>> }) {
  const { file } = source;
  const name = basename(file).toLowerCase();
  if (name.startsWith('procfile') || name.endsWith('.procfile')) return importProcfile(source);
  switch (extname(name)) {
    case '.js':
    case '.cjs':
    case '.mjs':
      return evaluateConfig(file).then(importEcosystem);
    case '.json':
      return importEcosystem(parseJson(source));
    case '.conf':
    case '.ini':
      return importSupervisord(source);
    default:
      throw new DaemonError('invalid-project', `what ${file} is can't be told by its name`, {
        path: file,
        allowed: `it is to be ${kinds}`,
      });
  }
}

function parseJson({ file, text }: { file: string; text: string }): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DaemonError('invalid-project', `${file} is no JSON: ${(error as Error).message.split('\n', 1)[0]}`, { path: file }, error);
  }
}

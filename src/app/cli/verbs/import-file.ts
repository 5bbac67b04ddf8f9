import { closeSync, openSync, writeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf } from '../../../adapters/files/file-errors.js';
import { importProject } from '../../../adapters/project/import/import-project.js';
import { projectData, projectYaml } from '../../../adapters/project/import/project-yaml.js';
import { parseProject } from '../../../adapters/project/read-project.js';
import { DaemonError } from '../../../domain/daemon-error.js';
import { isProjectName } from '../../../domain/project.js';
import type { Answer } from '../answer.js';
import type { Invocation } from '../invocation.js';
import type { VerbContext } from './context.js';

const nameWithoutAny = 'imported';

/** A project file made from another process manager's, on stdout or in a file. */
export async function importFile(invocation: Invocation, { cwd, settings }: VerbContext): Promise<Answer> {
  const output = invocation.value('--output');
  const target = output === undefined ? join(cwd(), 'daemonry.yaml') : resolve(output);
  const imported = await importProject(resolve(invocation.name), settings.env);
  const data = { ...named(target), ...projectData(imported, dirname(target)) };
  const text = target.endsWith('.json') ? `${JSON.stringify(data, null, 2)}\n` : projectYaml(data);
  // Whatever was in there: what comes out is in order.
  const { daemons } = parseProject(text, target);
  if (output !== undefined) write(target, text, invocation.has('--force'));
  const said = `${target} written: ${daemons.length === 1 ? '1 daemon' : `${daemons.length} daemons`}`;
  return {
    json: { project: data, warnings: imported.warnings, ...(output === undefined ? {} : { file: target }) },
    lines: output === undefined ? [text.trimEnd()] : [said],
    warnings: imported.warnings,
    exitCode: 0,
  };
}

/** Said only where the folder has no name that would do. */
function named(target: string): { project?: string } {
  return isProjectName(basename(dirname(target))) ? {} : { project: nameWithoutAny };
}

function write(path: string, text: string, force: boolean): void {
  try {
    const fd = openSync(path, force ? 'w' : 'wx');
    try {
      for (let bytes = Buffer.from(text); bytes.length > 0; ) bytes = bytes.subarray(writeSync(fd, bytes));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') {
      throw new DaemonError('invalid-project', `${path} is there already`, { path, allowed: '--force writes over it' }, error);
    }
    const code = errno === 'EACCES' || errno === 'EPERM' ? 'not-permitted' : 'unwritable';
    throw new DaemonError(code, `can't write ${path}: ${errno}`, { path, errno }, error);
  }
}

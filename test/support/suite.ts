import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '../..');

/** The built command line, as npm would link it. */
export const commandLine = join(projectRoot, 'bin', 'daemonry.cjs');

/** The built library, for programs of their own. */
export const libraryFile = join(projectRoot, 'dist', 'index.js');
export const serveFile = join(projectRoot, 'dist', 'serve.js');

/** A small real program under `test/fixtures`. */
export function fixture(file: string): string {
  return join(projectRoot, 'test', 'fixtures', file);
}

/** What every program of a test is started with: nothing of the developer's own settings, which would make tests differ. */
export function plainEnvironment(folder: string): Record<string, string> {
  const { PATH = '/usr/bin:/bin', TMPDIR } = process.env;
  // Without NODE_EXTRA_CA_CERTS, too: where it is set, every start of Node 20 takes 60 ms longer.
  return { PATH, HOME: folder, ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const projectRoot = join(import.meta.dirname, '../..');

/** An installed package that is to be tested in place of what is built here. */
export const installedPackage = process.env.DAEMONRY_TEST_PACKAGE;
export const packageRoot = installedPackage ?? projectRoot;

/** The built command line, as npm would link it. */
export const commandLine = join(packageRoot, 'bin', 'daemonry.cjs');

/** The built library, for programs of their own. */
export const libraryFile = join(packageRoot, 'dist', 'index.js');
export const serveFile = join(packageRoot, 'dist', 'serve.js');
export const testingFile = join(packageRoot, 'dist', 'testing.js');
export const clipanionFile = join(packageRoot, 'dist', 'clipanion.js');

/** Whether a socket may stand beside what a test makes: its path must not be long. */
export const hasShortFolders = Buffer.byteLength(tmpdir()) < 60;

/** A small real program under `test/fixtures`. */
export function fixture(file: string): string {
  return join(projectRoot, 'test', 'fixtures', file);
}

/** What else the system under test gives to every program, as a JSON object. */
const surroundings: Readonly<Record<string, string>> = JSON.parse(process.env.DAEMONRY_TEST_ENVIRONMENT ?? '{}');

/** What every program of a test is started with: nothing of the developer's own settings, which would make tests differ. */
export function plainEnvironment(folder: string): Record<string, string> {
  const { PATH = '/usr/bin:/bin', TMPDIR } = process.env;
  // Without NODE_EXTRA_CA_CERTS, too: where it is set, every start of Node 20 takes 60 ms longer.
  return { PATH, HOME: folder, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...surroundings };
}

/** Whether the package under test finds koffi for Linux: it takes the kernel's lock by a call then. */
export const callsFlock = process.platform === 'linux' && finds(`@koromix/koffi-linux-${process.arch}`);

function finds(name: string): boolean {
  try {
    createRequire(commandLine).resolve(name);
    return true;
  } catch {
    return false;
  }
}

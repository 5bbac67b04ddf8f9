import { pathToFileURL } from 'node:url';
import { libraryFile } from './suite.js';

/** The built library, as a program that depends on the package has it. */
export function loadLibrary(): Promise<typeof import('../../src/app/embed/index.js')> {
  return import(pathToFileURL(libraryFile).href);
}

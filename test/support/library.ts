import { createRequire } from 'node:module';
import { libraryFile } from './suite.js';

export type Library = typeof import('../../src/app/embed/index.js');

/** The built library, as a program that depends on the package has it; not by way of the test runner, which would rewrite it. */
export function loadLibrary(file = libraryFile): Library {
  return createRequire(import.meta.url)(file);
}

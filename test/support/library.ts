import { createRequire } from 'node:module';
import { clipanionFile, libraryFile, testingFile } from './suite.js';

export type Library = typeof import('../../src/app/embed/index.js');
export type ClipanionEntry = typeof import('../../src/app/clipanion/index.js');
export type TestingEntry = typeof import('../../src/app/testing/index.js');

const require = createRequire(import.meta.url);

/** The built library, as a program that depends on the package has it; not by way of the test runner, which would rewrite it. */
export function loadLibrary(file = libraryFile): Library {
  return require(file);
}

export function loadClipanionEntry(): ClipanionEntry {
  return require(clipanionFile);
}

export function loadTestingEntry(): TestingEntry {
  return require(testingFile);
}

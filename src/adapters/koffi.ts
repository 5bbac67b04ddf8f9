import { requireHere } from './require-here.js';

/** Of koffi, what is used here. */
export interface Koffi {
  load(file: string | null): { func(signature: string): unknown };
}

/** Its parts for one system each are packages of their own, and optional, so that no system installs another's. */
export function koffiPackage(system: 'linux' | 'win32'): string {
  return `@koromix/koffi-${system}-${process.arch}`;
}

/** From a package of koffi's, or a file of one. Throws where it is not installed, or no native code may be loaded. */
export function loadKoffi(path: string): Koffi {
  return requireHere()(path);
}

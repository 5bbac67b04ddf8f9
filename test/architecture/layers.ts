import { posix } from 'node:path';
import { type ImportedModule, readSource } from './source-text.js';

/** Source files by their path below the project, as in `src/domain/look.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** What each folder of adapters may import of the others. A folder that isn't here has no place yet. */
const adapterFolders: Readonly<Record<string, readonly string[]>> = {
  // Concerns that are the same on every platform.
  '.': ['.', 'files', 'net'],
  files: ['.', 'files', 'net'],
  net: ['.', 'files', 'net'],
  project: ['.', 'files', 'net', 'project'],
  autostart: ['.', 'files', 'net', 'autostart'],
  // Platforms: each stands on the concerns, and Linux and macOS on what POSIX gives them both.
  posix: ['.', 'files', 'net', 'posix'],
  linux: ['.', 'files', 'net', 'autostart', 'posix', 'linux'],
  macos: ['.', 'files', 'net', 'autostart', 'posix', 'macos'],
  windows: ['.', 'files', 'net', 'autostart', 'windows'],
  // A machine of its own.
  simulated: ['simulated'],
};

const onlyInApp = ['inversify', 'reflect-metadata', 'clipanion', 'typanion', 'yocto-spinner'];

/** What the domain would have of the machine without importing anything. */
const globals = [
  'Date',
  'process',
  'performance',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'console',
  'fetch',
  'Buffer',
  'globalThis',
];

/** Every breach of the layer rule, one sentence each. */
export function findBreaches(sources: Sources): readonly string[] {
  return [...sources].flatMap(([path, text]) => {
    const { code, imports } = readSource(text);
    return [...imports.flatMap((imported) => breachesOf(path, imported)), ...(isIn(path, 'src/domain') ? impurities(path, code) : [])];
  });
}

function breachesOf(path: string, { specifier, isDynamic }: ImportedModule): readonly string[] {
  const breach = (why: string) => [`${path} imports ${specifier ?? 'what it computes'}: ${why}`];
  if (isIn(path, 'src/domain') && isDynamic) return breach('the domain imports nothing dynamically');
  if (specifier === undefined) return [];
  const target = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
  if (target !== undefined && !isIn(target, 'src') && isIn(path, 'src')) return breach('it is no source');
  if (isIn(path, 'src/domain')) return target && isIn(target, 'src/domain') ? [] : breach('the domain imports nothing but itself');
  if (isIn(path, 'src/adapters')) return adapterBreaches(path, specifier, target).flatMap(breach);
  return [];
}

function adapterBreaches(path: string, specifier: string, target: string | undefined): readonly string[] {
  if (target === undefined) {
    if (onlyInApp.some((name) => specifier === name || specifier.startsWith(`${name}/`))) return ['it belongs to src/app'];
    return adapterFolder(path) === 'simulated' ? ['a simulated machine has nothing of the real one'] : [];
  }
  if (isIn(target, 'src/domain')) return [];
  if (!isIn(target, 'src/adapters')) return ['adapters never import app'];
  const allowed = adapterFolders[adapterFolder(path)];
  if (!allowed) return [`no rule says what adapters/${adapterFolder(path)} may import`];
  return allowed.includes(adapterFolder(target)) ? [] : [`adapters/${adapterFolder(path)} may not`];
}

function impurities(path: string, code: string): readonly string[] {
  const used = globals.filter((name) => new RegExp(`(?<![.\\w$])${name}(?![\\w$]|\\s*[?]?:)`).test(code));
  const random = /\bMath\s*\.\s*random\b/.test(code) ? ['Math.random'] : [];
  const meta = /\bimport\s*\.\s*meta\b/.test(code) ? ['import.meta'] : [];
  return [...used, ...random, ...meta].map((name) => `${path} uses ${name}: the domain has no clock, no randomness, no I/O`);
}

function adapterFolder(path: string): string {
  const [, , folder = '', file] = path.split('/');
  return file === undefined ? '.' : folder;
}

function isIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

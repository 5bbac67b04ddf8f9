import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const gigabyte = 1024 ** 3;

/** A file that has no end to speak of, and takes no room on the disk. */
export function makeSparse(path: string, size = gigabyte): void {
  writeFileSync(path, '', { mode: 0o600 });
  truncateSync(path, size);
}

export function makeFifo(path: string): void {
  execFileSync('mkfifo', ['-m', '600', path]);
}

/** What may stand in a file's place. Each is made at the path. */
export const oddPlaces: Readonly<Record<string, (path: string) => void>> = {
  'a gigabyte': (path) => makeSparse(path),
  'a pipe': makeFifo,
  'a folder': (path) => {
    mkdirSync(path);
    writeFileSync(join(path, 'file'), '');
  },
  'a link to an endless device': (path) => symlinkSync('/dev/zero', path),
  'a link to itself': (path) => symlinkSync(path, path),
  ...(process.getuid?.() === 0 && {
    'an endless device': (path) => void execFileSync('mknod', ['-m', '600', path, 'c', '1', '5']),
  }),
};

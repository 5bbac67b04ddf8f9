import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this process may mount a file system of its own. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mayMount();

const pageBytes = 4_096;

/** A file system of a few pages, mounted for one test. */
export class TinyDisk {
  readonly folder: string;
  #fillers = 0;

  constructor(parent: string) {
    this.folder = join(parent, 'disk');
    mkdirSync(this.folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'tmpfs', this.folder]);
  }

  /** Until not one byte more fits. */
  fill(): void {
    try {
      for (;;) writeFileSync(join(this.folder, `filler-${this.#fillers++}`), Buffer.alloc(pageBytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  /** Makes room for one page more. */
  freePage(): void {
    rmSync(join(this.folder, `filler-${--this.#fillers}`));
  }

  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.folder]);
  }

  unmount(): void {
    if (existsSync(this.folder)) execFileSync('umount', ['--lazy', this.folder]);
  }
}

function mayMount(): boolean {
  try {
    // In a mount namespace of its own, which ends with the command.
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

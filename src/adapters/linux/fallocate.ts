import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { LogShortener, ShortenAbility } from '../files/log-shortener.js';
import { removeIfThere, temporaryPath } from '../files/safe-files.js';
import { findTool } from '../posix/find-executable.js';
import { Flock } from './flock.js';

/** How long one call of the tool may take: a disk may be slow, and what is cut is bounded. */
const timeoutMs = 30_000;
const leastBlockBytes = 4_096;

/** fallocate(2) through util-linux `fallocate`, on our own open file: the lock on it lasts as long as the tool, also without us. */
export class Fallocate implements LogShortener {
  private readonly flock: Flock;
  private readonly abilities = new Map<number, Promise<ShortenAbility>>();

  constructor(private readonly env: Readonly<Record<string, string | undefined>>) {
    this.flock = new Flock(env);
  }

  ability(log: string): Promise<ShortenAbility> {
    const { dev } = statSync(dirname(log));
    const known = this.abilities.get(dev);
    if (known) return known;
    const found = this.tryIn(log);
    this.abilities.set(dev, found);
    // What failed for want of space or descriptors may do next time.
    found.catch(() => this.abilities.delete(dev));
    return found;
  }

  lock(fd: number, waitMs: number): Promise<'locked' | 'busy' | 'unavailable'> {
    return this.flock.lock(fd, waitMs, undefined);
  }

  async collapse(fd: number, bytes: number): Promise<void> {
    await this.run(fd, ['--collapse-range', '--offset', '0', '--length', String(bytes)]);
  }

  async punch(fd: number, bytes: number): Promise<void> {
    await this.run(fd, ['--punch-hole', '--offset', '0', '--length', String(bytes)]);
  }

  private async tryIn(log: string): Promise<ShortenAbility> {
    if (findFallocate(this.env.PATH) === undefined) return { kind: 'none' };
    const path = temporaryPath(log);
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    try {
      const blockBytes = Math.max(leastBlockBytes, fstatSync(fd).blksize);
      writeSync(fd, Buffer.alloc(2 * blockBytes, 'x'));
      await this.collapse(fd, blockBytes);
      if (fstatSync(fd).size === blockBytes) return { kind: 'collapse', blockBytes };
      return { kind: (await this.run(fd, ['--punch-hole', '--offset', '0', '--length', String(blockBytes)])) ? 'punch' : 'none' };
    } finally {
      closeSync(fd);
      removeIfThere(path);
    }
  }

  /** Whether it says that it did. */
  private run(fd: number, args: readonly string[]): Promise<boolean> {
    const tool = findFallocate(this.env.PATH);
    if (tool === undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      // By its descriptor: the log may have another name by then.
      const helper = spawn(tool, [...args, '/proc/self/fd/3'], { stdio: ['ignore', 'ignore', 'ignore', fd], timeout: timeoutMs });
      helper.once('error', () => resolve(false));
      helper.once('exit', (code) => resolve(code === 0));
    });
  }
}

/** Whether there is a tool that can take the head out of a file: busybox has one that can't. */
export function hasFallocate(path: string | undefined): boolean {
  const tool = findFallocate(path);
  return tool !== undefined && spawnSync(tool, ['--help'], { encoding: 'utf8' }).stdout.includes('--collapse-range');
}

function findFallocate(path: string | undefined): string | undefined {
  return findTool('fallocate', path);
}

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileDescriptorRepo } from '../../../src/adapters/files/file-descriptor-repo.js';
import { Exlock } from '../../../src/adapters/macos/exlock.js';
import { FileLifecycleLock } from '../../../src/adapters/posix/file-lifecycle-lock.js';
import { SystemClock } from '../../../src/adapters/system-clock.js';

/** `open` as macOS has it: with O_EXLOCK it locks, fails where somebody holds the lock, or on file systems without locks. */
const kernel = vi.hoisted(() => ({ locked: new Map<number, string>(), refuses: undefined as string | undefined }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  const openExclusively = 0x20;
  const fail = (code: string) => Object.assign(new Error(code), { code });
  return {
    ...fs,
    openSync: (path: string, flags: string | number, mode?: number) => {
      if (typeof flags !== 'number' || (flags & openExclusively) === 0) return fs.openSync(path, flags, mode);
      if (kernel.refuses !== undefined) throw fail(kernel.refuses);
      if ([...kernel.locked.values()].includes(path)) throw fail('EAGAIN');
      const fd = fs.openSync(path, flags & ~openExclusively, mode);
      kernel.locked.set(fd, path);
      return fd;
    },
    closeSync: (fd: number) => {
      kernel.locked.delete(fd);
      fs.closeSync(fd);
    },
  };
});

const here = {
  pid: process.pid,
  startToken: '1',
  bootId: 'boot',
  pidNamespace: 'none',
  timeNamespace: 'none',
  host: 'host',
  uid: 0,
  exclusiveHome: false,
};

let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'daemonry-exlock-'));
  kernel.refuses = undefined;
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
  expect(kernel.locked.size).toBe(0);
});

function lock(): FileLifecycleLock {
  return new FileLifecycleLock({
    clock: new SystemClock(),
    repo: new FileDescriptorRepo({ home, env: {}, platform: 'darwin' }),
    inspector: {
      vantage: () => here,
      observe: (pid) => ({ kind: 'process', startToken: '1', zombie: false, uid: 0, processGroup: pid, session: pid }),
    },
    kernelLock: new Exlock(),
  });
}

const ref = { name: 'x' };
const soon = { timeoutMs: 5_000 };
const atOnce = { timeoutMs: 30 };

describe('exlock', () => {
  it('locks by the flag that macOS gives O_EXLOCK, and so holds whatever could be opened', async () => {
    expect(new Exlock().openFlags).toBe(0x20);
    expect(await new Exlock().lock()).toBe('locked');
  });

  it('excludes, and is free after the release', async () => {
    const held = await lock().acquire(ref, soon);
    expect(lock().holder(ref)).toMatchObject({ pid: process.pid, by: 'kernel' });
    await expect(lock().acquire(ref, atOnce)).rejects.toMatchObject({ code: 'lock-timeout', facts: { pid: process.pid } });
    const waiting = lock().acquire(ref, soon);
    await held.release();
    await (await waiting).release();
    expect(lock().holder(ref)).toBeUndefined();
  });

  it.each(['ENOTSUP', 'EOPNOTSUPP', 'Unknown system error -102'])(
    'a file system without locks (%s) gets a claim file instead',
    async (errno) => {
      kernel.refuses = errno;
      const held = await lock().acquire(ref, soon);
      expect(lock().holder(ref)).toMatchObject({ pid: process.pid, by: 'claim' });
      await expect(lock().acquire(ref, atOnce)).rejects.toMatchObject({ code: 'lock-timeout' });
      await held.release();
      expect(readdirSync(join(home, 'x'))).toEqual(['lock']);
      await (await lock().acquire(ref, soon)).release();
    },
  );

  it('excludes whoever has no locks on the same file', async () => {
    const held = await lock().acquire(ref, soon);
    kernel.refuses = 'ENOTSUP';
    await expect(lock().acquire(ref, atOnce)).rejects.toMatchObject({ code: 'lock-timeout' });
    await held.release();
    const claimed = await lock().acquire(ref, soon);
    kernel.refuses = undefined;
    await expect(lock().acquire(ref, atOnce)).rejects.toMatchObject({ code: 'lock-timeout' });
    await claimed.release();
  });

  it.each([undefined, 'ENOTSUP'])('what can not be opened for another reason is named (locks refused: %s)', async (refuses) => {
    mkdirSync(join(home, 'x', 'lock'), { recursive: true, mode: 0o700 });
    kernel.refuses = refuses;
    await expect(lock().acquire(ref, soon)).rejects.toMatchObject({
      code: 'unwritable',
      facts: { path: join(home, 'x', 'lock'), errno: 'EISDIR' },
    });
  });
});

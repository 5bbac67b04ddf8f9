import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimFile, readClaim } from '../../../src/adapters/files/claim-file.js';
import { FileDescriptorRepo } from '../../../src/adapters/files/file-descriptor-repo.js';
import { encodeHolder, type LockHolder } from '../../../src/adapters/files/lock-holder.js';
import { Flock, hasFlock } from '../../../src/adapters/linux/flock.js';
import { LinuxProcessInspector } from '../../../src/adapters/linux/linux-process-inspector.js';
import { FileLifecycleLock } from '../../../src/adapters/posix/file-lifecycle-lock.js';
import { SystemClock } from '../../../src/adapters/system-clock.js';
import type { Clock } from '../../../src/domain/ports.js';
import { callsFlock } from '../../support/suite.js';
import { canMount, TinyDisk } from '../../support/tiny-disk.js';
import { waitFor } from '../../support/wait-for.js';
import { type Actor, Programs } from './programs.js';

const onLinux = process.platform === 'linux';
const canFlock = onLinux && hasFlock(process.env.PATH);
const mayUnshareNetwork = onLinux && spawnSync('unshare', ['-n', 'true'], { stdio: 'ignore' }).status === 0;

const programs = new Programs();
let home = '';

beforeAll(() => programs.bundle('lock-program', 'crowd-program', 'claim-program', 'starved-claim-program'));
afterAll(() => programs.remove());

beforeEach(() => {
  home = mkdtempSync(join(programs.folder, 'home-'));
});

afterEach(() => programs.end());

/** `haste`: it could have the kernel's, and claims all the same. */
type Kind = 'kernel' | 'claim' | 'haste';

function taker(kind: Kind, timeoutMs = 20_000, prefix: readonly string[] = []): Actor {
  return programs.start('lock-program', [home, kind, String(timeoutMs)], prefix);
}

/** This process as one more that wants the lock. */
function ourLock(options: { claimsFirst?: boolean; repo?: FileDescriptorRepo; clock?: Clock; kernelLock?: Flock } = {}): FileLifecycleLock {
  return new FileLifecycleLock({
    clock: new SystemClock(),
    repo: ourRepo(),
    inspector: new LinuxProcessInspector(process.env),
    kernelLock: new Flock(process.env),
    ...options,
  });
}

function ourRepo(): FileDescriptorRepo {
  return new FileDescriptorRepo({ home, env: process.env, platform: process.platform });
}

const shared = { name: 'shared' };
const soon = { timeoutMs: 20_000 };

function childrenOf(pid: number): readonly string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
}

describe.skipIf(!canFlock)('flock (needs Linux and util-linux or busybox flock)', () => {
  // The programs of this test can't: they are bundled to where there is no koffi.
  it.skipIf(!callsFlock)('is taken and let go of by a call, where nobody has it (needs koffi)', async () => {
    const fake = join(home, 'bin');
    mkdirSync(fake);
    writeFileSync(join(fake, 'flock'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
    const lock = ourLock({ kernelLock: new Flock({ PATH: fake }) });
    for (let round = 0; round < 2; round++) {
      const held = await lock.acquire(shared, { timeoutMs: 5_000 });
      expect([await taker('kernel', 150).ask('take'), ourLock().holder(shared)]).toMatchObject([
        `lock-timeout ${process.pid}`,
        { by: 'kernel' },
      ]);
      await held.release();
    }
  });

  it('excludes between one that calls and one that needs a helper', async () => {
    const helped = taker('kernel');
    expect(await helped.ask('take')).toBe('held');
    const waiting = ourLock().acquire(shared, soon);
    expect(await helped.ask('release')).toBe('free');
    const held = await waiting;
    expect(await taker('kernel', 150).ask('take')).toBe(`lock-timeout ${process.pid}`);
    await held.release();
    expect(await helped.ask('take')).toBe('held');
  });

  it('excludes between two processes', async () => {
    const first = taker('kernel');
    expect(await first.ask('take')).toBe('held');
    expect(await taker('kernel', 150).ask('take')).toBe(`lock-timeout ${first.pid}`);
    await expect(ourLock().acquire(shared, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'lock-timeout', facts: { pid: first.pid } });
    expect(await first.ask('release')).toBe('free');
    await (await ourLock().acquire(shared, { timeoutMs: 20_000 })).release();
  });

  it('F14: is free at once when its holder is killed, though its words remain', async () => {
    const first = taker('kernel');
    expect(await first.ask('take')).toBe('held');
    const second = taker('kernel');
    second.say('take');
    first.child.kill('SIGKILL');
    expect(await second.answer()).toBe('held');
    expect(ourLock().holder(shared)?.pid).toBe(second.pid);
  });

  it('is free when the holder is killed while its helper may still run', async () => {
    for (let round = 0; round < 5; round++) {
      const victim = taker('kernel');
      victim.say('take');
      await Promise.race([victim.answer(), new Promise((resolve) => setTimeout(resolve, 60 + round * 15))]);
      await victim.kill();
      await (await ourLock().acquire(shared, { timeoutMs: 20_000 })).release();
    }
  });

  it('lets waiters in one after the other', async () => {
    const waiters = Array.from({ length: 5 }, () => taker('kernel'));
    const first = taker('kernel');
    expect(await first.ask('take')).toBe('held');
    for (const waiter of waiters) waiter.say('take');
    expect(await first.ask('release')).toBe('free');
    const waiting = new Map(waiters.map((waiter) => [waiter, waiter.answer()]));
    while (waiting.size > 0) {
      const next = await Promise.race([...waiting].map(([waiter, answer]) => answer.then((said) => ({ waiter, said }))));
      expect(next.said).toBe('held');
      expect(ourLock().holder(shared)?.pid).toBe(next.waiter.pid);
      waiting.delete(next.waiter);
      expect(await next.waiter.ask('release')).toBe('free');
    }
  });

  it('passes over waiters that were killed', async () => {
    const [first, second, third] = [taker('kernel'), taker('kernel'), taker('kernel')];
    expect(await first.ask('take')).toBe('held');
    second.say('take');
    third.say('take');
    await second.kill();
    expect(await first.ask('release')).toBe('free');
    expect(await third.answer()).toBe('held');
  });

  it('does not let in whoever waited for a file that the path does not lead to any more', async () => {
    const first = taker('kernel');
    expect(await first.ask('take')).toBe('held');
    const lockFile = join(home, 'shared', 'lock');
    // Started before the second begins to wait: that one must not be out of patience before it is let down.
    const third = taker('kernel');
    const second = taker('kernel', 4_000);
    second.say('take');
    await waitFor('the helper of the second to wait for the lock', () => childrenOf(second.pid).length > 0);
    renameSync(lockFile, `${lockFile}.moved`);
    expect(await third.ask('take')).toBe('held');
    expect(await first.ask('release')).toBe('free');
    expect(await second.answer()).toBe(`lock-timeout ${third.pid}`);
  });

  it('locks the open file, gives up in time and when aborted', async () => {
    const path = join(home, 'plain');
    const open = () => openSync(path, 'a+');
    const lock = new Flock(process.env);
    const [one, two] = [open(), open()];
    try {
      expect(await lock.lock(one, 20_000, undefined)).toBe('locked');
      expect(await lock.lock(two, 50, undefined)).toBe('busy');
      const controller = new AbortController();
      const waiting = lock.lock(two, 20_000, controller.signal);
      controller.abort();
      expect(await waiting).toBe('busy');
      expect(await lock.lock(two, 20_000, AbortSignal.abort())).toBe('busy');
      closeSync(one);
      expect(await lock.lock(two, 20_000, undefined)).toBe('locked');
    } finally {
      closeSync(two);
    }
  });

  it.skipIf(!mayUnshareNetwork)('excludes across network namespaces (needs the right to unshare)', async () => {
    const inside = taker('kernel', 20_000, ['unshare', '-n']);
    expect(await inside.ask('take')).toBe('held');
    expect(await taker('kernel', 150).ask('take')).toMatch(/^lock-timeout/);
    const outside = taker('kernel');
    outside.say('take');
    expect(await inside.ask('release')).toBe('free');
    expect(await outside.answer()).toBe('held');
    expect(await taker('kernel', 150, ['unshare', '-n']).ask('take')).toBe(`lock-timeout ${outside.pid}`);
  });
});

describe.skipIf(!canFlock)('flock beside a process that has none (needs Linux and flock)', () => {
  it.each<readonly [Kind, Kind]>([
    ['kernel', 'claim'],
    ['claim', 'kernel'],
    ['claim', 'claim'],
    ['kernel', 'haste'],
    ['haste', 'kernel'],
    ['haste', 'haste'],
  ])('%s held: %s waits, and has it after the release', async (holding, waiting) => {
    const first = taker(holding);
    expect(await first.ask('take')).toBe('held');
    expect(await taker(waiting, 150).ask('take')).toBe(`lock-timeout ${first.pid}`);
    const second = taker(waiting);
    second.say('take');
    expect(await first.ask('release')).toBe('free');
    expect(await second.answer()).toBe('held');
  });

  it.each<readonly [Kind, Kind]>([
    ['kernel', 'claim'],
    ['claim', 'kernel'],
    ['claim', 'claim'],
    ['kernel', 'haste'],
    ['haste', 'kernel'],
    ['haste', 'haste'],
  ])('%s held: %s has it when the holder is killed', async (holding, waiting) => {
    const first = taker(holding);
    expect(await first.ask('take')).toBe('held');
    const second = taker(waiting);
    second.say('take');
    await first.kill();
    expect(await second.answer()).toBe('held');
    expect(ourLock().holder(shared)?.pid).toBe(second.pid);
  });

  it('twelve of all kinds never are in at once, and each has its turns', async () => {
    const kinds = Array.from({ length: 12 }, (_, index) => (['kernel', 'claim', 'haste'] as const)[index % 3] as Kind);
    const crowd = kinds.map((kind) => programs.start('crowd-program', [home, kind, '4']));
    expect(await Promise.all(crowd.map((actor) => actor.answer()))).toEqual(kinds.map(() => '4'));
    expect(readdirSync(join(home, 'shared')).filter((name) => name.startsWith('lock.'))).toEqual([]);
  });
});

describe.skipIf(!canFlock)('claims of one process (needs Linux and flock)', () => {
  const claimOf = (name: string) => join(home, name, 'lock.claim');

  it('are one file, linked: each is let go of by itself, and keeps out others meanwhile', async () => {
    const lock = ourLock({ claimsFirst: true });
    const [shared, other] = await Promise.all(['shared', 'other'].map((name) => lock.acquire({ name }, soon)));
    expect(statSync(claimOf('shared')).ino).toBe(statSync(claimOf('other')).ino);
    await other?.release();
    expect(existsSync(claimOf('other'))).toBe(false);
    expect(await taker('kernel', 150).ask('take')).toBe(`lock-timeout ${process.pid}`);
    await shared?.release();
    expect(await taker('kernel').ask('take')).toBe('held');
  });

  it('are not linked to what a person has put in their place', async () => {
    const lock = ourLock({ claimsFirst: true });
    const first = await lock.acquire({ name: 'first' }, soon);
    await new Promise(setImmediate);
    rmSync(claimOf('first'));
    writeFileSync(claimOf('first'), 'words of nobody');
    const second = await lock.acquire({ name: 'shared' }, soon);
    expect(readClaim(claimOf('shared'))?.pid).toBe(process.pid);
    await Promise.all([first.release(), second.release()]);
  });

  it('leave nothing, where the lock’s own file is none', async () => {
    mkdirSync(join(home, 'shared'));
    symlinkSync('/dev/null', join(home, 'shared', 'lock'));
    await expect(ourLock({ claimsFirst: true }).acquire(shared, soon)).rejects.toMatchObject({ code: 'unsafe-home' });
    expect(readdirSync(join(home, 'shared'))).toEqual(['lock']);
  });

  it('of the home: starts of one turn share it, and none of them waits for another', async () => {
    let naps = 0;
    const real = new SystemClock();
    const clock: Clock = {
      monotonicMs: () => real.monotonicMs(),
      wallTime: () => real.wallTime(),
      sleep: (ms, signal) => {
        naps++;
        return real.sleep(ms, signal);
      },
    };
    const lock = ourLock({ claimsFirst: true, clock });
    const names = Array.from({ length: 30 }, (_, index) => `new-${index}`);
    const held = await Promise.all(names.map((name) => lock.acquire({ name }, soon)));
    expect([held.length, naps]).toEqual([30, 0]);
    await Promise.all(held.map(({ release }) => release()));
    await new Promise(setImmediate);
    expect(existsSync(join(home, '.lock.claim'))).toBe(false);
  });

  it('of the home: one whose wait is cancelled cancels nobody else’s', async () => {
    const holder = await ourLock({ claimsFirst: true }).acquire({ name: 'before' }, soon);
    const lock = ourLock({ claimsFirst: true });
    const cancel = new AbortController();
    const first = lock.acquire({ name: 'first' }, { ...soon, signal: cancel.signal });
    const second = lock.acquire({ name: 'second' }, soon);
    const refusal = expect(first).rejects.toMatchObject({ code: 'cancelled' });
    cancel.abort();
    await refusal;
    await (await second).release();
    await holder.release();
  });

  it('of the home: what was seen before it was held is looked at again', async () => {
    const repo = ourRepo();
    expect(repo.place(shared).known).toBe(false);
    // Somebody else's, in the same turn.
    mkdirSync(join(home, 'SHARED'));
    const held = await ourLock({ claimsFirst: true, repo }).acquire(shared, soon);
    expect(held.ref.name).toBe('SHARED');
    await held.release();
    expect(readdirSync(home).filter((name) => !name.startsWith('.'))).toEqual(['SHARED']);
  });
});

describe.skipIf(!canFlock || !canMount)('on a full disk (needs Linux, flock and mounts)', () => {
  it('the kernel’s lock, which can’t say whose it is, is not taken by a claim that links to another', async () => {
    const disk = new TinyDisk(home);
    home = join(disk.folder, 'home');
    try {
      await (await ourLock().acquire(shared, soon)).release();
      const inHaste = ourLock({ claimsFirst: true });
      const other = await inHaste.acquire({ name: 'other' }, soon);
      disk.fill();
      const held = await ourLock().acquire(shared, soon);
      await expect(inHaste.acquire(shared, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'lock-timeout' });
      await held.release();
      await (await inHaste.acquire(shared, soon)).release();
      await other.release();
    } finally {
      disk.unmount();
    }
  });
});

describe.skipIf(!onLinux)('claim file (needs Linux)', () => {
  const inspector = onLinux ? new LinuxProcessInspector(process.env) : undefined;

  function holder(changes: Partial<LockHolder>): LockHolder {
    return { ...inspector!.vantage(), by: 'claim', nonce: 'a-nonce', ...changes };
  }

  /** Of a process that has ended: its pid is this process's, with another start. */
  const dead = () => holder({ startToken: '1', nonce: 'of-the-dead' });

  it('is whole as soon as it is there, and leaves no other file', () => {
    const path = join(home, 'claim');
    expect(claimFile(path, holder({}), () => false)).toBe(true);
    expect(readClaim(path)).toMatchObject({ pid: process.pid, by: 'claim', nonce: 'a-nonce' });
    expect(claimFile(path, holder({ nonce: 'another' }), () => false)).toBe(false);
    expect(readClaim(path)?.nonce).toBe('a-nonce');
    expect(readdirSync(home)).toEqual(['claim']);
  });

  it('F14: of the dead is taken over, and the grave is cleared', () => {
    const path = join(home, 'claim');
    writeFileSync(path, encodeHolder(dead()));
    expect(claimFile(path, holder({}), ({ nonce }) => nonce === 'of-the-dead')).toBe(true);
    expect(readdirSync(home)).toEqual(['claim']);
  });

  it('is taken over also from those who died while they took it over', () => {
    const path = join(home, 'claim');
    writeFileSync(path, encodeHolder(dead()));
    writeFileSync(`${path}.of-the-dead`, encodeHolder(holder({ nonce: 'of-the-remover' })));
    writeFileSync(`${path}.of-the-dead.of-the-remover`, encodeHolder(holder({ nonce: 'of-its-remover' })));
    expect(claimFile(path, holder({ nonce: 'mine' }), ({ nonce }) => nonce.startsWith('of-'))).toBe(true);
    expect(readClaim(path)?.nonce).toBe('mine');
    expect(readdirSync(home)).toEqual(['claim']);
  });

  it('waits while somebody living takes it over', () => {
    const path = join(home, 'claim');
    writeFileSync(path, encodeHolder(dead()));
    writeFileSync(`${path}.of-the-dead`, encodeHolder(holder({ nonce: 'alive' })));
    expect(claimFile(path, holder({ nonce: 'mine' }), ({ nonce }) => nonce === 'of-the-dead')).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe(encodeHolder(dead()));
  });

  it('that says nothing of a holder is nobody’s to remove', () => {
    const path = join(home, 'claim');
    writeFileSync(path, 'torn');
    expect(claimFile(path, holder({}), () => true)).toBe(false);
    mkdirSync(join(home, 'folder'));
    expect(claimFile(join(home, 'folder'), holder({}), () => true)).toBe(false);
  });

  it('F13: of the dead has one winner among 16 processes, each time', async () => {
    const crowd = Array.from({ length: 16 }, () => programs.start('claim-program', [join(home, 'claim')]));
    expect(new Set(await Promise.all(crowd.map((actor) => actor.answer())))).toEqual(new Set(['ready']));
    for (let round = 0; round < 25; round++) {
      rmSync(join(home, 'claim'), { force: true });
      writeFileSync(join(home, 'claim'), encodeHolder({ ...dead(), nonce: `of-the-dead-${round}` }));
      const answers = await Promise.all(crowd.map((actor) => actor.ask('go')));
      const winners = crowd.filter((_, index) => answers[index] === 'won');
      expect(winners.length, `round ${round}`).toBe(1);
      expect(readClaim(join(home, 'claim'))?.pid, `round ${round}`).toBe(winners[0]?.pid);
    }
  });

  it('linked where it can’t be read again names nobody afterwards', async () => {
    const paths = [join(home, 'first'), join(home, 'second')];
    const starved = programs.start('starved-claim-program', paths, ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh']);
    expect(await starved.answer()).toBe('won EMFILE EMFILE gone won');
  });
});

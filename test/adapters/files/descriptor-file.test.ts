import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { FileDescriptorRepo } from '../../../src/adapters/files/file-descriptor-repo.js';
import type { Descriptor } from '../../../src/domain/descriptor.js';
import { fixture } from '../../support/suite.js';
import { test } from '../../support/temporary-home.js';

describe('a descriptor that is written again and again', () => {
  test('is whole to whoever reads it meanwhile (F23)', async ({ home }) => {
    const short = home.forge('clock') as Descriptor;
    const long = { ...short, command: ['sleep', 'x'.repeat(200_000)] };
    const repo = new FileDescriptorRepo({ home: home.path, env: {}, platform: process.platform });
    const held = { ref: { name: 'clock' }, release: async () => {} };
    const reader = home.spawn(process.execPath, [fixture('reads-json.mjs'), home.at('clock', 'daemon.json'), home.file('end')]);
    await reader.says('reading');
    for (let time = 0; time < 200; time++) repo.write(held, time % 2 === 0 ? long : short);
    // Until it has read something, however busy the machine.
    home.file('end', '');
    const { stdout } = await reader.end();
    expect(stdout).toMatch(/\n[1-9]\d* reads, 0 torn\n$/);
    expect(readdirSync(home.at('clock'))).toEqual(['daemon.json']);
  });
});

describe('a home that is removed between two looks of one turn', () => {
  test('holds no daemon, and is no failure', ({ home }) => {
    mkdirSync(home.path, { mode: 0o700 });
    const repo = new FileDescriptorRepo({ home: home.path, env: {}, platform: process.platform });
    expect(repo.place({ name: 'clock' }).known).toBe(false);
    rmSync(home.path, { recursive: true });
    expect(repo.place({ name: 'other' }).known).toBe(false);
  });
});

describe('a folder of a daemon', () => {
  const repoOf = (home: string) => new FileDescriptorRepo({ home, env: {}, platform: process.platform });

  test('that is removed between two looks of one turn is not known any more', ({ home }) => {
    home.makeFolder('clock');
    const [repo, ref] = [repoOf(home.path), { name: 'clock' }];
    expect(repo.place(ref).known).toBe(true);
    rmSync(home.path, { recursive: true });
    expect(repo.place(ref).known).toBe(false);
  });

  test('with a descriptor of its own is known as soon as somebody claims it', ({ home }) => {
    const ref = { name: 'clock', descriptor: join(home.folder, 'own', 'clock.json') };
    mkdirSync(join(home.folder, 'own'), { mode: 0o700 });
    expect(repoOf(home.path).place(ref).known).toBe(false);
    home.file('own/clock.lock.claim', '');
    expect(repoOf(home.path).place(ref).known).toBe(true);
  });

  test('that is made by somebody else is found by whoever waits for it without giving up his turn', async ({ home }) => {
    home.makeFolder('other');
    const [repo, ref] = [repoOf(home.path), { name: 'clock' }];
    expect(repo.place(ref).known).toBe(false);
    home.makeFolder('CLOCK');
    const deadline = performance.now() + 10_000;
    while (!repo.place(ref).known && performance.now() < deadline) await null;
    expect(repo.place(ref)).toMatchObject({ name: 'CLOCK', known: true });
  });
});

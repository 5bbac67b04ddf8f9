import { spawn } from 'node:child_process';
import fs, { appendFileSync, existsSync, linkSync, readFileSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LogFollower } from '../../../src/adapters/files/log-follower.js';
import { waitFor } from '../../support/wait-for.js';
import type { AbilityKind } from './support/limited-shortener.js';
import { faultsInBytes, faultsOf, lineOf, RotatedLog, Rotator, writeNumbered } from './support/rotated-log.js';
import { testWhere } from './support/test-where.js';

/** However much is written meanwhile. */
const everything = 1_000_000;
const rotator = new Rotator();
let log: RotatedLog;
beforeAll(() => rotator.bundle());
afterAll(() => rotator.remove());
afterEach(() => log?.remove());

describe.each(['collapse', 'punch'] as const)('a log that is rotated by %s', (ability) => {
  const test = testWhere(ability);
  beforeEach(() => {
    log = new RotatedLog(ability);
  });

  test('holds every byte that was written, in order, whatever it is', async () => {
    const kinds: readonly Buffer[] = [
      Buffer.alloc(60_000, 'no newline at all '),
      Buffer.from(Array.from({ length: 60_000 }, (_, index) => (index * 7919) % 256)),
      Buffer.alloc(60_000, '\n'),
      Buffer.alloc(60_000),
      Buffer.alloc(60_000, 'the same block again and again\n'),
    ];
    for (const bytes of kinds) {
      appendFileSync(log.path, bytes, { mode: 0o600 });
      expect(await log.rotate({ maxBytes: 20_000 })).toBe('rotated');
    }
    expect(log.bytes().equals(Buffer.concat([...kinds]))).toBe(true);
    expect(statSync(log.path).size - log.state().begin).toBeLessThan(20_000 + 4_096);
  });

  test('is cut between two lines where that can be, and reads whole where it can not', async () => {
    writeNumbered(log.path, 0, 5_000, 20_000);
    expect(await log.rotate({ maxBytes: 50_000 })).toBe('rotated');
    expect(faultsOf(log.lines(), 0, 5_000, 20_000)).toEqual([]);
    const short = new RotatedLog(ability);
    appendFileSync(short.path, 'fifteen letters\n'.repeat(5_000), { mode: 0o600 });
    expect(await short.rotate({ maxBytes: 40_000 })).toBe('rotated');
    expect([short.state().torn, readFileSync(`${short.path}.1`, 'utf8').at(-1)]).toEqual([[], '\n']);
    short.remove();
  });

  test('shows no line of which the beginning was thrown away', async () => {
    appendFileSync(log.path, 'x'.repeat(100_000), { mode: 0o600 });
    expect(await log.rotate({ maxBytes: 30_000, keep: 1 })).toBe('rotated');
    appendFileSync(log.path, 'end\nnext\n');
    expect(log.lines()).toEqual(['next']);
    const follower = new LogFollower(log.path, 'oldest');
    expect(follower.read()).toBe('next\n');
    follower.close();
  });

  test('counts on over a rename and another cut, and keeps what the offsets mean', async () => {
    writeNumbered(log.path, 0, 1_000);
    await log.rotate({ maxBytes: 30_000 });
    const written = log.bytes().length;
    expect(await log.prepare({ maxBytes: 1 })).toEqual({ path: log.path, offset: written });
    expect(await log.prepare()).toEqual({ path: log.path, offset: written });
    expect([log.state().begin, log.bytes().length]).toEqual([0, written]);
    writeNumbered(log.path, 1_000, 2_000);
    expect(await log.rotate({ maxBytes: 30_000 })).toBe('rotated');
    expect(log.store().tail(log.path, 10_000, written)).toEqual(Array.from({ length: 1_000 }, (_, index) => lineOf(1_000 + index)));
    expect(faultsOf(log.lines(), 0, 2_000)).toEqual([]);
  });

  test('is followed over cuts that happen between two reads, and in the middle of nothing', async () => {
    writeNumbered(log.path, 0, 100);
    const follower = new LogFollower(log.path, 'oldest');
    let text = '';
    for (let first = 100; first < 3_000; first += 100) {
      writeNumbered(log.path, first, first + 100);
      if (first % 300 === 0) text += follower.read();
      await log.rotate({ maxBytes: 30_000 });
      // Also by renaming, as before a start.
      if (first % 1_000 === 0) await log.prepare({ maxBytes: 1 });
    }
    for (let more = follower.read(); more !== ''; more = follower.read()) text += more;
    follower.close();
    expect(faultsOf(text.trimEnd().split('\n'), 0, 3_000)).toEqual([]);
  });

  test('is followed to the end of a file that is still written to after it was cut and renamed', async () => {
    writeNumbered(log.path, 0, 1_000);
    const follower = new LogFollower(log.path, 'end');
    writeNumbered(log.path, 1_000, 1_100);
    await log.rotate({ maxBytes: 30_000 });
    await log.prepare({ maxBytes: 1 });
    if (ability === 'collapse') writeNumbered(`${log.path}.1`, 1_100, 1_110);
    writeNumbered(log.path, 1_110, 1_120);
    let text = '';
    for (let more = follower.read(); more !== ''; more = follower.read()) text += more;
    follower.close();
    const late = ability === 'collapse' ? [] : Array.from({ length: 10 }, (_, index) => lineOf(1_100 + index));
    const lines = text.trimEnd().split('\n');
    expect(faultsOf([...lines.slice(0, 100), ...late, ...lines.slice(100)], 1_000, 1_120)).toEqual([]);
  });

  test('is read as it was, or as it is, where it is cut in the very middle of a read', async () => {
    // As many as make the file shorter, yet long enough for a read at the old place to find something.
    writeNumbered(log.path, 0, 3_000);
    const follower = new LogFollower(log.path, 'oldest');
    const half = follower.readBytes(64 * 1024).toString();
    const rest = cutInTheMiddleOf(() => follower.readBytes().toString());
    let text = half + rest;
    for (let more = follower.readBytes(); more.length > 0; more = follower.readBytes()) text += more.toString();
    follower.close();
    expect(faultsOf(text.trimEnd().split('\n'), 0, 3_000)).toEqual([]);
    writeNumbered(log.path, 3_000, 6_000);
    const lines = cutInTheMiddleOf(() => log.store().tail(log.path, 5_500));
    expect(faultsOf(lines, 500, 6_000)).toEqual([]);
  });

  /** Has another process rotate the log once, right before the work reads a larger piece of a file. */
  function cutInTheMiddleOf<T>(work: () => T): T {
    const real = fs.readSync;
    let isCut = false;
    fs.readSync = ((...args: Parameters<typeof real>) => {
      if (!isCut && (args[1] as Buffer).length > 1_000) {
        isCut = true;
        rotator.run(log, 100_000);
      }
      return real(...args);
    }) as typeof real;
    syncBuiltinESMExports();
    try {
      return work();
    } finally {
      fs.readSync = real;
      syncBuiltinESMExports();
      expect(isCut).toBe(true);
    }
  }

  test('far behind its writer is within its bound after one call: what is beyond goes without being copied, and no line is torn', async () => {
    const [maxBytes, keep] = [30_000, 3];
    writeNumbered(log.path, 0, 1_000);
    await log.rotate({ maxBytes, keep });
    const follower = new LogFollower(log.path, 'oldest');
    let text = follower.readBytes(10_000).toString();
    writeNumbered(log.path, 1_000, 60_000);
    const written = log.offset();
    expect(written).toBeGreaterThan(80 * maxBytes);
    expect(await log.rotate({ maxBytes, keep })).toBe('rotated');
    expect(statSync(log.path).size - log.state().begin).toBeLessThan(maxBytes);
    expect(log.bytes().length).toBeLessThan(maxBytes * (keep + 1) + 4_096);
    expect(log.bytes().length).toBeGreaterThan((maxBytes * keep * 3) / 4);
    const lines = log.lines();
    expect(faultsOf(lines, 60_000 - lines.length, 60_000)).toEqual([]);
    expect(await log.prepare()).toEqual({ path: log.path, offset: written });
    for (let more = follower.read(); more !== ''; more = follower.read()) text += more;
    follower.close();
    // The one who was too slow goes on with the oldest line that there is.
    const followed = text.trimEnd().split('\n').slice(-lines.length);
    expect(faultsOf(followed, 60_000 - lines.length, 60_000)).toEqual([]);
  });

  test('of lines longer than all that is kept shows none of which the beginning is gone', async () => {
    appendFileSync(log.path, `${'x'.repeat(500_000)}\nsecond\nthird\n`, { mode: 0o600 });
    expect(await log.rotate({ maxBytes: 20_000, keep: 2 })).toBe('rotated');
    expect(log.bytes().length).toBeLessThan(60_000 + 8_192);
    expect(log.lines()).toEqual(['second', 'third']);
  });

  test('keeps what a rename has left too large until what is younger is as much as is kept', async () => {
    writeNumbered(log.path, 0, 5_000);
    await log.prepare({ maxBytes: 1_000, keep: 3 });
    writeNumbered(log.path, 5_000, 5_200);
    await log.rotate({ maxBytes: 20_000, keep: 3 });
    expect(faultsOf(log.lines(), 0, 5_200)).toEqual([]);
  });

  test('that somebody emptied goes on counting, and is read', async () => {
    writeNumbered(log.path, 0, 1_000);
    await log.rotate({ maxBytes: 30_000 });
    const follower = new LogFollower(log.path, 'end');
    truncateSync(log.path, 0);
    appendFileSync(log.path, 'after\n');
    // The line that was cut in two goes on with what there is.
    expect(log.lines().at(-1)).toMatch(/after$/);
    expect(follower.read()).toBe('after\n');
    follower.close();
  });

  test('that somebody replaced in the middle of a rotation loses nothing of the copy', async () => {
    writeNumbered(log.path, 0, 600);
    // Before the second state is written: the head is copied, and not out yet.
    for (let at = 1; log.state()?.cut?.step !== 'marked' && log.state()?.cut?.step !== 'taken'; at++)
      rotator.runUntil(log, 30_000, 1_000, at);
    unlinkSync(log.path);
    writeFileSync(log.path, 'new\n', { mode: 0o600 });
    await log.prepare();
    expect(log.lines().at(-1)).toMatch(/new$/);
    expect(faultsOf(log.lines().slice(0, 100), 0, 100)).toEqual([]);
  });

  test('written to at full speed while its rotators are killed is whole, and so is what a follower saw of it (F36)', async () => {
    const writer = log.startWriter();
    const follower = new LogFollower(log.path, 'oldest');
    const chunks: Buffer[] = [];
    let seen = 0;
    const readAll = () => {
      for (let bytes = follower.readBytes(); bytes.length > 0; bytes = follower.readBytes()) {
        chunks.push(bytes);
        seen += bytes.length;
      }
    };
    try {
      for (let round = 0; round < 12; round++) {
        const args = [rotator.program, log.path, '300000', String(everything), ability, 'loop'];
        const child = spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] });
        const ended = new Promise((resolve) => child.once('exit', resolve));
        const from = seen;
        // At another moment each time, which nothing here decides.
        await waitFor('the log to go on', () => {
          readAll();
          return seen > from + 1_500_000 + round * 77_777;
        });
        child.kill('SIGKILL');
        await ended;
      }
    } finally {
      await writer.kill();
    }
    // A tool that a killed rotator left at work is waited for, and may have much to write before it is done.
    await waitFor('the last rotation to come to its end', async () => {
      await log.rotate({ maxBytes: 300_000, keep: everything });
      return log.state().cut === null;
    });
    readAll();
    follower.close();
    const whole = log.bytes();
    expect(Buffer.concat(chunks).equals(whole)).toBe(true);
    expect(existsSync(`${log.path}.5`)).toBe(true);
    expect(faultsInBytes(whole)).toEqual([]);
  });
});

describe('a log that may not be cut', () => {
  beforeEach(() => {
    log = new RotatedLog();
    writeNumbered(log.path, 0, 1_000);
  });

  const outcomes: readonly [string, AbilityKind, () => void][] = [
    ['where nothing can cut', 'none', () => {}],
    ['that has a second name', 'collapse', () => linkSync(log.path, `${log.path}-too`)],
  ];
  test.each(outcomes)('%s is unsupported, and is left as it is', async (_, ability, make) => {
    make();
    const other = new RotatedLog(ability);
    const before = readFileSync(log.path);
    const target = { ref: { name: 'x' }, file: log.path, maxBytes: 30_000, keep: 3 };
    expect(await other.store().rotate({ ref: target.ref, release: () => {} }, target)).toBe('unsupported');
    expect(await other.store().rotate({ ref: target.ref, release: () => {} }, { ...target, maxBytes: 10_000_000 })).toBe('fits');
    expect(readFileSync(log.path).equals(before)).toBe(true);
    expect(existsSync(`${log.path}.1`)).toBe(false);
    other.remove();
  });

  test('is rotated by rename at its next start', async () => {
    await log.prepare({ maxBytes: 1_000 });
    expect([existsSync(`${log.path}.1`), statSync(log.path).size]).toEqual([true, 0]);
    expect(faultsOf(log.lines(), 0, 1_000)).toEqual([]);
  });
});

describe('a hole', () => {
  const test = testWhere('punch');
  beforeEach(() => {
    log = new RotatedLog('punch');
    writeNumbered(log.path, 0, 3_000);
  });

  test('gives its space back', async () => {
    const before = statSync(log.path).blocks;
    await log.rotate({ maxBytes: 30_000 });
    expect(statSync(log.path).blocks).toBeLessThan(before / 2);
  });

  test('goes at a start at which the log is full', async () => {
    await log.rotate({ maxBytes: 30_000 });
    writeNumbered(log.path, 3_000, 4_000);
    await log.prepare({ maxBytes: 10_000 });
    expect([statSync(log.path).size, log.state().begin]).toEqual([0, 0]);
    expect(faultsOf(log.lines(), 0, 4_000)).toEqual([]);
  });

  testWhere('collapse')('may be collapsed by a system that can', async () => {
    await log.rotate({ maxBytes: 30_000 });
    writeNumbered(log.path, 3_000, 6_000);
    log.ability = 'collapse';
    expect(await log.rotate({ maxBytes: 30_000 })).toBe('rotated');
    expect(log.state().begin).toBe(0);
    expect(faultsOf(log.lines(), 0, 6_000)).toEqual([]);
  });
});

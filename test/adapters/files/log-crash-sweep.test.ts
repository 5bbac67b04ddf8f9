import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { faultsOf, RotatedLog, Rotator, writeNumbered } from './support/rotated-log.js';
import { testWhere } from './support/test-where.js';

/** Each of some hundred calls is a process of its own, on a machine that may be busy. */
const timeout = 600_000;
const maxBytes = 32 * 1024;
const longLines = 3_000;
/** Lines of 32 to 64 KB. */
const half = 600;
/** More calls than any rotation makes. */
const mostCalls = 2_000;

const rotator = new Rotator();
let log: RotatedLog;
beforeAll(() => rotator.bundle());
afterAll(() => rotator.remove());
afterEach(() => log?.remove());

/** What is read of a log whose rotation went no further, what the next one makes of it, and what all files hold. */
async function expectWhole(calls: string, to: number): Promise<void> {
  const faults = (lines: readonly string[]) => [calls, faultsOf(lines, 0, to, longLines)];
  expect(faults(log.lines())).toEqual([calls, []]);
  await log.rotate({ maxBytes });
  expect([calls, log.state()?.cut]).toEqual([calls, null]);
  expect(faults(log.lines())).toEqual([calls, []]);
  expect(faults(log.bytes().toString().trimEnd().split('\n'))).toEqual([calls, []]);
}

describe.each(['collapse', 'punch'] as const)('a rotation by %s', (ability) => {
  /** Twice what fits, of which the first half is rotated already. */
  async function fill(): Promise<void> {
    log = new RotatedLog(ability);
    writeNumbered(log.path, 0, half, longLines);
    expect(await log.rotate({ maxBytes })).toBe('rotated');
    writeNumbered(log.path, half, 2 * half, longLines);
  }

  const test = testWhere(ability);

  test('killed before any of its calls loses nothing, tears nothing and doubles nothing (F36)', { timeout }, async () => {
    const killed: string[] = [];
    for (let at = 1; at < mostCalls; at++) {
      await fill();
      const call = rotator.runUntil(log, maxBytes, 1_000, at);
      // More than was taken out: its size does not give away whether it was.
      writeNumbered(log.path, 2 * half, 5 * half, longLines);
      await expectWhole(`${at} ${call}`, 5 * half);
      log.remove();
      if (call === undefined) break;
      killed.push(call);
    }
    // It was killed on both sides of all that matters.
    expect(killed.filter((call) => call === 'renameSync').length).toBeGreaterThan(4);
    expect(killed.filter((call) => call.startsWith('spawned') && call.includes('fallocate')).length).toBeGreaterThan(0);
  });

  /** Many times what is kept, of which the oldest was kept already. */
  async function fallBehind(): Promise<void> {
    log = new RotatedLog(ability);
    writeNumbered(log.path, 0, half, longLines);
    expect(await log.rotate({ maxBytes, keep: 2 })).toBe('rotated');
    writeNumbered(log.path, half, 10 * half, longLines);
  }

  /** The last lines, all of them whole, and as much as is always kept. */
  function expectLast(calls: string, to: number): void {
    const lines = log.lines();
    expect([calls, faultsOf(lines, to - lines.length, to, longLines)]).toEqual([calls, []]);
    expect(`${lines.join('\n')}\n`.length).toBeGreaterThan((2 * maxBytes * 3) / 4);
  }

  test('that drops what is beyond all that is kept, killed before any of its calls: the last lines are there, whole', {
    timeout,
  }, async () => {
    const killed: string[] = [];
    for (let at = 1; at < mostCalls; at++) {
      await fallBehind();
      const call = rotator.runUntil(log, maxBytes, 2, at);
      expectLast(`${at} ${call}`, 10 * half);
      writeNumbered(log.path, 10 * half, 11 * half, longLines);
      expectLast(`${at} ${call}`, 11 * half);
      await log.rotate({ maxBytes, keep: 2 });
      expect([call, log.state()?.cut]).toEqual([call, null]);
      expectLast(`${at} ${call}`, 11 * half);
      expect([call, log.bytes().length < 3 * maxBytes + 4_096]).toEqual([call, true]);
      log.remove();
      if (call === undefined) break;
      killed.push(call);
    }
    expect(killed.filter((call) => call === 'unlinkSync' || call === 'rmSync').length).toBeGreaterThan(0);
  });

  // A full disk fails what is written, a broken one what is read, too; that is the same in both.
  test.each(ability === 'collapse' ? ['ENOSPC', 'EIO'] : ['ENOSPC'])(
    'of which any call fails with %s loses nothing, and the next one goes on',
    async (errno) => {
      for (let at = 1; at < mostCalls; at++) {
        await fill();
        const call = rotator.runUntil(log, maxBytes, 1_000, at, errno);
        await expectWhole(`${errno} at ${at} ${call}`, 2 * half);
        log.remove();
        if (call === undefined) break;
      }
    },
    timeout,
  );
});

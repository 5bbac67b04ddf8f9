import { describe, expect, test } from 'vitest';
import { decodeTimes, encodeTimes, offsetSince, type TimeMark, thinOut, tighten, timeAt } from '../../../src/adapters/files/log-times.js';
import { fc, runs } from '../support/fuzz.js';

const anyMark: fc.Arbitrary<TimeMark> = fc.record({ ms: fc.nat(1_000), offset: fc.nat(1_000) });
const anyMarks = fc.array(anyMark, { maxLength: 30 });

describe('noted times', () => {
  test('from any bytes: marks whose offsets ascend, and which are dates', () => {
    const anyLine = fc.oneof(
      fc.string(),
      fc.tuple(fc.bigInt({ min: -5n, max: 10n ** 17n }), fc.bigInt({ min: -5n, max: 10n ** 17n })).map((pair) => pair.join(' ')),
    );
    fc.assert(
      fc.property(fc.array(anyLine), (lines) => {
        const marks = decodeTimes(lines.join('\n'));
        for (const [index, { ms, offset }] of marks.entries()) {
          expect(new Date(ms).toISOString()).toMatch(/Z$/);
          expect(offset).toBeGreaterThanOrEqual(marks[index - 1]?.offset ?? 0);
        }
      }),
      runs(300),
    );
  });

  test('are read as they were written, thinned out only where they are old', () => {
    const marks = Array.from({ length: 5_000 }, (_, index) => ({ ms: index, offset: index }));
    expect(decodeTimes(encodeTimes(marks))).toEqual(marks);
    const thin = thinOut(marks);
    expect(thin.length).toBeLessThan(3_200);
    expect(thin.slice(-1_000)).toEqual(marks.slice(-1_000));
  });

  test('tell of each offset the earliest time by which a mark lies behind it, and leave out nothing since', () => {
    fc.assert(
      fc.property(anyMarks, fc.nat(1_000), fc.nat(1_000), (marks, offset, sinceMs) => {
        const tight = tighten(marks);
        const behind = marks.filter((mark) => mark.offset > offset).map(({ ms }) => ms);
        expect(timeAt(tight, offset)).toBe(behind.length === 0 ? undefined : Math.min(...behind));
        // Whatever lies before was there before that time.
        const from = offsetSince(tight, sinceMs);
        if (from !== undefined && from > 0) expect(timeAt(tight, from - 1)).toBeLessThan(sinceMs);
        const at = timeAt(tight, from ?? 0);
        if (at !== undefined) expect(at).toBeGreaterThanOrEqual(sinceMs);
      }),
      runs(500),
    );
  });
});

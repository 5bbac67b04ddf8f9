import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, longestDurationMs, parseDuration, parseSize } from '../../src/domain/quantity.js';
import { fc } from './property.js';

describe('parseDuration', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1.5s', 1_500],
    ['0s', 0],
    ['0.4ms', 0],
    ['2147483647ms', longestDurationMs],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    '10',
    's',
    '-1s',
    '+1s',
    '1e3s',
    '1 s',
    ' 1s',
    '1s ',
    '1S',
    '1s1s',
    '.5s',
    '1.s',
    'Infinitys',
    '0x1s',
    '2147483648ms',
    '25d',
  ])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('what it takes is a delay that a timer takes', () => {
    const texts = fc.tuple(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.constantFrom('ms', 's', 'm', 'h', 'd'));
    fc.assert(
      fc.property(texts, ([figure, unit]) => {
        const ms = parseDuration(`${figure}${unit}`);
        if (ms !== undefined) expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= longestDurationMs).toBe(true);
      }),
    );
  });
});

describe('parseSize', () => {
  test.each([
    ['1B', 1],
    ['64KB', 65_536],
    ['64kb', 65_536],
    ['1MB', 1_048_576],
    ['1GB', 1_073_741_824],
    ['1.5KB', 1_536],
  ])('%s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', '1', '0B', '0.1B', '-1KB', '1K', '1TB', '1 KB', '999999999999GB'])('refuses %j', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0ms'],
    [850, '850ms'],
    [999.9, '999ms'],
    [12_999, '12s'],
    [60_000, '1m 0s'],
    [185_000, '3m 5s'],
    [7_800_000, '2h 10m'],
    [86_400_000 * 4 + 3_600_000 * 3, '4d 3h'],
  ])('%s ms', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('never claims more than has passed, nor a second unit less', () => {
    const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e11, noNaN: true }), (ms) => {
        const parts = [...formatDuration(ms).matchAll(/(\d+)([a-z]+)/g)].map(
          ([, figure, unit]) => [Number(figure), units[unit ?? ''] ?? 0] as const,
        );
        const shown = parts.reduce((sum, [figure, unit]) => sum + figure * unit, 0);
        expect(shown).toBeLessThanOrEqual(ms);
        expect(ms - shown).toBeLessThan(parts.at(-1)?.[1] ?? 0);
      }),
    );
  });
});

describe('formatSize', () => {
  test.each([
    [1, '1B'],
    [512, '512B'],
    [65_536, '64KB'],
    [1_572_864, '1.5MB'],
    [12_900_000, '12MB'],
    [1_073_741_824, '1GB'],
  ])('%s bytes', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test('is within a twentieth of the truth', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => {
        const shown = parseSize(formatSize(bytes)) ?? 0;
        expect(Math.abs(shown - bytes) / bytes).toBeLessThanOrEqual(0.05);
      }),
    );
  });
});

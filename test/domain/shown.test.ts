import { describe, expect, test } from 'vitest';
import { shown } from '../../src/domain/shown.js';

const circular: Record<string, unknown> = {};
circular.self = circular;
const unreadable = {
  get bad(): never {
    throw new Error('not to be read');
  },
};

describe('shown', () => {
  test.for<readonly [unknown, string]>([
    ['a "word"', '"a \\"word\\""'],
    ['two\nlines', '"two\\nlines"'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Number.NaN, 'NaN'],
    [10n, '10n'],
    [Symbol('x'), 'Symbol(x)'],
    [() => 1, 'a function'],
    [{ pid: 1 }, '{"pid":1}'],
    [[1, 'x'], '[1,"x"]'],
    [Object.create(null), '{}'],
    [circular, 'an object'],
    [[10n], 'an object'],
    [{ toJSON: () => undefined }, 'an object'],
    [unreadable, 'an object'],
  ])('is one line: %#', ([value, text]) => {
    expect(shown(value)).toBe(text);
  });

  test('is both ends of what is long', () => {
    for (const long of ['x'.repeat(100_000), ['x'.repeat(100_000)], 10n ** 1_000n, Symbol('x'.repeat(1_000))]) {
      expect(shown(long)).toMatch(/^.{60,61}….{20,21}$/);
    }
  });
});

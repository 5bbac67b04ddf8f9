import { expect, test } from 'vitest';
import { agreeOn, formatProtocolRange, parseProtocolRange } from '../../src/domain/protocol-range.js';

test('a protocol range: a single version, or two of which the first is not the greater', () => {
  expect(parseProtocolRange(3)).toEqual({ min: 3, max: 3 });
  expect(parseProtocolRange({ min: 1, max: 4, more: true })).toEqual({ min: 1, max: 4 });
  for (const wrong of [undefined, null, '3', -1, 1.5, Number.NaN, {}, { min: 2 }, { min: 2, max: 1 }, { min: '1', max: 2 }, []]) {
    expect(parseProtocolRange(wrong)).toBeUndefined();
  }
});

test('a protocol range: two agree on the newest that both know, whichever is asked', () => {
  const cases = [
    [{ min: 1, max: 3 }, { min: 2, max: 5 }, 3],
    [{ min: 1, max: 3 }, { min: 3, max: 3 }, 3],
    [{ min: 1, max: 9 }, { min: 2, max: 4 }, 4],
    [{ min: 1, max: 2 }, { min: 3, max: 4 }, undefined],
  ] as const;
  for (const [one, other, agreed] of cases) expect([agreeOn(one, other), agreeOn(other, one)]).toEqual([agreed, agreed]);
});

test('a protocol range: reads as people say it', () => {
  expect([formatProtocolRange({ min: 1, max: 3 }), formatProtocolRange({ min: 2, max: 2 })]).toEqual(['1 to 3', '2']);
});

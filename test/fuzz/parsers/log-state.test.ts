import { describe, expect, test } from 'vitest';
import { decodeLogState, encodeLogState, type LogState, mapLog } from '../../../src/adapters/files/log-state.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent, hostileJson } from '../support/mutations.js';

const mark = '11111111-2222-4333-8444-555555555555';
const valid: LogState = {
  file: 4_711,
  base: 20_480,
  begin: 0,
  next: null,
  cut: { to: 8_192, mark, step: 'marked' },
  before: { file: 4_710, base: 10_000 },
  torn: [12_288, 20_480],
};
const written = { schema: 1, ...valid };

const isOffset = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

function expectSound(state: LogState): void {
  const { file, base, begin, next, cut, before, torn } = state;
  expect([file, base, begin, next ?? 0, cut?.to ?? 0, before?.file ?? 0, before?.base ?? 0, ...torn].every(isOffset)).toBe(true);
  // It is written over a log's head: never more than a block.
  expect(cut?.mark ?? mark).toMatch(/^[0-9a-f-]{36}$/);
  for (const size of [0, 100, 1_000_000]) {
    for (const isMarked of [true, false]) {
      const mapping = mapLog(state, { ino: file, size }, isMarked);
      expect(isOffset(mapping.base) && isOffset(mapping.begin) && mapping.begin <= size).toBe(true);
    }
  }
}

describe('the parser of what is known of a log', () => {
  test('whatever it reads: a sound state, or none', () => {
    fc.assert(
      fc.property(anyContent({ ...written }), (bytes) => {
        const state = decodeLogState(bytes.toString());
        if (state) expectSound(state);
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(500),
    );
  });

  test('any hostile value of any field, also within another: a sound state, or none', () => {
    for (const value of hostileJson) {
      const texts = Object.keys(written).map((field) => JSON.stringify({ ...written, [field]: 'here' }));
      for (const field of ['to', 'mark', 'step']) texts.push(JSON.stringify({ ...written, cut: { ...valid.cut, [field]: 'here' } }));
      for (const field of ['file', 'base']) texts.push(JSON.stringify({ ...written, before: { ...valid.before, [field]: 'here' } }));
      texts.push(JSON.stringify({ ...written, torn: ['here'] }));
      for (const text of texts) {
        const state = decodeLogState(text.replace('"here"', () => value));
        if (state) expectSound(state);
      }
    }
  });

  test('what it writes it reads the same', () => {
    for (const state of [valid, { ...valid, cut: null, before: null, next: 7, torn: [] }])
      expect(decodeLogState(encodeLogState(state))).toEqual(state);
  });

  test('a text cut off at any byte is none', () => {
    const text = encodeLogState(valid).trim();
    for (let length = 0; length < text.length; length++) expect(decodeLogState(text.slice(0, length))).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import { decodeHolder, encodeHolder, type LockHolder } from '../../../src/adapters/files/lock-holder.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';
import { anyContent, hostileJson } from '../support/mutations.js';

const valid: LockHolder = {
  pid: 4_242,
  startToken: '987654',
  bootId: 'b',
  pidNamespace: 'pid:[4026531836]',
  timeNamespace: 'time:[4026531834]',
  host: 'h',
  by: 'claim',
  nonce: '11111111-2222-4333-8444-555555555555',
};

function expectSound({ pid, nonce, by }: LockHolder): void {
  expect(Number.isSafeInteger(pid) && pid > 1 && pid <= 0x7fff_ffff, `pid ${pid}`).toBe(true);
  // It becomes part of a path.
  expect(nonce).toMatch(/^[0-9A-Za-z-]{1,64}$/);
  expect(['kernel', 'claim']).toContain(by);
}

describe('the lock holder parser', () => {
  test('whatever it reads: a sound holder, or none (F10)', () => {
    fc.assert(
      fc.property(anyContent({ ...valid }), (bytes) => {
        const holder = decodeHolder(bytes.toString());
        if (holder) expectSound(holder);
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(500),
    );
  });

  test('any hostile value of any field: a sound holder, or none (F10)', () => {
    for (const field of Object.keys(valid)) {
      for (const value of hostileJson) {
        const holder = decodeHolder(JSON.stringify({ ...valid, [field]: 'here' }).replace('"here"', () => value));
        if (holder) expectSound(holder);
      }
    }
  });

  test('what it takes is written and parsed to the same', () => {
    fc.assert(
      fc.property(anyContent({ ...valid }), (bytes) => {
        const holder = decodeHolder(bytes.toString());
        if (holder) expect(encodeHolder(decodeHolder(encodeHolder(holder)) as LockHolder)).toBe(encodeHolder(holder));
      }),
      runs(500),
    );
  });

  test('a text cut off at any byte names nobody', () => {
    const text = encodeHolder(valid).trim();
    for (let length = 0; length < text.length; length++) expect(decodeHolder(text.slice(0, length))).toBeUndefined();
  });
});

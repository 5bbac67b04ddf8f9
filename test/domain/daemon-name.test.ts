import { expect, test } from 'vitest';
import { checkedName, sameName } from '../../src/domain/daemon-name.js';
import { fc } from './property.js';

const accepted = ['a', 'A', '0', 'web', 'shop.api', 'a_b-c.d', 'x'.repeat(64), 'console', 'com10', 'nullable', 'supervisors', 'lpt'];
test.each(accepted)('checkedName: takes %s', (name) => {
  expect(checkedName(name)).toBe(name);
});

const refused = [
  '',
  '.',
  '..',
  '.hidden',
  '-flag',
  '_x',
  'a/b',
  'a\\b',
  'a b',
  'a:b',
  'ä',
  'a\0',
  'a\n',
  'a.',
  'x'.repeat(65),
  'con',
  'CON',
  'Nul',
  'prn.txt',
  'aux.',
  'com1',
  'COM9.log',
  'lpt0',
  'supervisor',
  'SuperVisor',
];
test.each(refused)('checkedName: refuses %j, and says what is allowed', (name) => {
  expect(() => checkedName(name)).toThrow(expect.objectContaining({ code: 'invalid-name', facts: { name, allowed: expect.any(String) } }));
});

test('checkedName: a name that passes is one plain path segment everywhere', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (text) => {
      try {
        checkedName(text);
      } catch {
        return;
      }
      expect(text).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
      expect(text).not.toMatch(/\.$/);
      expect(text.length).toBeLessThanOrEqual(64);
    }),
    { numRuns: 2_000 },
  );
});

test('checkedName: spelling a name with other case makes it neither valid nor invalid', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'conuladspervix019.-_'), minLength: 1, maxLength: 12 });
  const passes = (name: string) => {
    try {
      return checkedName(name) === name;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(letters, (name) => {
      expect(passes(name.toUpperCase())).toBe(passes(name));
    }),
    { numRuns: 2_000 },
  );
});

test('sameName: case does not matter, anything else does', () => {
  expect(sameName('Web', 'wEB')).toBe(true);
  expect(sameName('web', 'web1')).toBe(false);
});

import { describe, expect, test } from 'vitest';
import { isNewerVersion } from '../../src/domain/version.js';
import { fc } from './property.js';

describe('isNewerVersion', () => {
  // Semantic Versioning 2.0, paragraph 11, and its neighbours: each is older than the next.
  const ladder = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.9',
    '1.0.10',
    '1.9.0',
    '1.10.0',
    '2.0.0-0',
    '2.0.0',
  ];
  const pairs = ladder.flatMap((a, i) => ladder.map((b, j) => [a, b, i > j] as const));
  test.each(pairs)('%s after %s: %s', (a, b, newer) => {
    expect(isNewerVersion(a, b)).toBe(newer);
  });

  test.each([
    ['1.0.0+build.2', '1.0.0+build.1'],
    ['v1.0.0', '1.0.0'],
    ['latest', '1.0.0'],
    ['1.0.0', 'latest'],
    ['2', '1'],
    ['1.0', '0.9'],
    ['', ''],
  ])('%s is not newer than %s', (a, b) => {
    expect(isNewerVersion(a, b)).toBe(false);
  });

  const figure = fc.integer({ min: 0, max: 3 });
  const tags = fc.array(fc.constantFrom('0', '1', '10', 'a', 'b', '-', '1a'), { maxLength: 3 });
  const versions = fc
    .tuple(figure, figure, figure, tags)
    .map(([a, b, c, tag]) => `${a}.${b}.${c}${tag.length > 0 ? `-${tag.join('.')}` : ''}`);

  test('two versions never each take themselves for the newer one', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const [forth, back] = [isNewerVersion(a, b), isNewerVersion(b, a)];
        expect(forth && back).toBe(false);
        expect(forth || back).toBe(a !== b);
      }),
      { numRuns: 2_000 },
    );
  });

  test('newer than a newer one is newer', () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        if (isNewerVersion(a, b) && isNewerVersion(b, c)) expect(isNewerVersion(a, c)).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });
});

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { claimFile, readClaim } from '../../../src/adapters/files/claim-file.js';
import type { LockHolder } from '../../../src/adapters/files/lock-holder.js';
import { fc, runs } from '../support/fuzz.js';
import { anyContent } from '../support/mutations.js';
import { oddPlaces } from '../support/places.js';

const holder = (nonce: string, pid = 4_242): LockHolder => ({
  pid,
  startToken: '1',
  bootId: 'b',
  pidNamespace: 'p',
  timeNamespace: 't',
  host: 'h',
  by: 'claim',
  nonce,
});
const dead = holder('dead', 999_999);
const isFree = ({ nonce }: LockHolder) => nonce === 'dead';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dy-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a claim', () => {
  test('of any content has one owner at the most, and only an empty or a dead one is replaced (F14)', () => {
    fc.assert(
      fc.property(fc.oneof(anyContent({ ...dead }), fc.constantFrom('', '\0\0\0', ' \n').map(Buffer.from)), (bytes) => {
        const path = join(folder, 'claim');
        writeFileSync(path, bytes);
        const before = readClaim(path);
        const isFreeToTake = before ? isFree(before) : bytes.toString().replaceAll('\0', '').trim() === '';
        expect(claimFile(path, holder('first'), isFree)).toBe(isFreeToTake);
        expect(claimFile(path, holder('second'), isFree)).toBe(false);
        expect([readClaim(path)?.nonce, readdirSync(folder)]).toEqual([isFreeToTake ? 'first' : before?.nonce, ['claim']]);
        rmSync(path);
      }),
      runs(200),
    );
  });

  test.each([
    ['leads elsewhere by its nonce', { ...dead, nonce: '../../x' }],
    ['has a nonce longer than a file name', { ...dead, nonce: 'x'.repeat(300) }],
    ['has a pid beyond all pids', { ...dead, pid: 2 ** 40 }],
  ])('that %s is understood by nobody, and leads nowhere (F10)', (_what, claim) => {
    writeFileSync(join(folder, 'claim'), JSON.stringify(claim));
    expect(readClaim(join(folder, 'claim'))).toBeUndefined();
    expect(claimFile(join(folder, 'claim'), holder('first'), () => true)).toBe(false);
    expect(readdirSync(folder)).toEqual(['claim']);
  });

  test('is not taken from who removes an empty one, nor left behind where he was killed', () => {
    const path = join(folder, 'claim');
    writeFileSync(path, '');
    writeFileSync(`${path}.empty`, JSON.stringify(holder('remover')));
    expect(claimFile(path, holder('first'), isFree)).toBe(false);
    writeFileSync(`${path}.empty`, JSON.stringify(dead));
    expect(claimFile(path, holder('first'), isFree)).toBe(true);
    expect(readdirSync(folder)).toEqual(['claim']);
  });

  test.each(Object.entries(oddPlaces))("in whose place is %s: is nobody's", (_what, make) => {
    make(join(folder, 'claim'));
    expect(claimFile(join(folder, 'claim'), holder('first'), () => true)).toBe(false);
    expect(readdirSync(folder)).toEqual(['claim']);
  });
});

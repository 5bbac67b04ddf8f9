import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileLogStore } from '../../../src/adapters/files/file-log-store.js';
import { LogFollower } from '../../../src/adapters/files/log-follower.js';
import { codeOf, fc, runs } from '../support/fuzz.js';
import { makeSparse, oddPlaces } from '../support/places.js';

/** The most that one call gives back, over a rotation. */
const largestReadLength = 3 * (1024 + 64) * 1024;

const store = new FileLogStore(undefined as never);
const anyText = fc.string({ unit: fc.constantFrom('a', '\n', '\r\n', 'ä', '€', '😀', '\0') });

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dy-'));
  path = join(folder, 'daemon.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Afresh, for each run of a property. */
function clear(): void {
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
}

type Step = { readonly kind: 'append'; readonly text: string } | { readonly kind: 'rotate' | 'read' };

describe('a follower', () => {
  test('gives all that is written, in order, over any rotation, and no character in two', () => {
    const step = fc.oneof<fc.Arbitrary<Step>[]>(
      anyText.map((text) => ({ kind: 'append', text })),
      fc.constantFrom<Step>({ kind: 'rotate' }, { kind: 'read' }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        clear();
        writeFileSync(path, '');
        const follower = new LogFollower(path, 0);
        let [written, read, rotations] = ['', '', 0];
        for (const each of steps) {
          if (each.kind === 'append') {
            appendFileSync(path, each.text);
            written += each.text;
          } else {
            // It looks in time: what is rotated away twice between two looks is gone.
            read += follower.read() + follower.read();
            if (each.kind === 'rotate') {
              renameSync(path, `${path}.${++rotations}`);
              writeFileSync(path, '');
            }
          }
        }
        read += follower.read() + follower.read();
        follower.close();
        expect(read).toBe(written);
      }),
      runs(100),
    );
  });

  test('of anything that stands or comes in the place of a log: reads nothing of it, and goes on with the next log', () => {
    for (const [what, make] of Object.entries(oddPlaces)) {
      // That one is a log.
      if (what === 'a gigabyte') continue;
      for (const isThereBefore of [true, false]) {
        clear();
        if (!isThereBefore) writeFileSync(path, 'old\n');
        else make(path);
        const follower = new LogFollower(path, 'end');
        expect(typeof follower.isAtLineStart).toBe('boolean');
        if (!isThereBefore) {
          renameSync(path, `${path}.1`);
          make(path);
        }
        for (let look = 0; look < 3; look++) expect(follower.read().length).toBeLessThanOrEqual(largestReadLength);
        rmSync(path, { recursive: true });
        writeFileSync(path, 'new\n');
        expect(follower.read()).toBe('new\n');
        follower.close();
      }
    }
  });

  test('of a gigabyte that comes at once reads a bounded part of it at a time', () => {
    writeFileSync(path, '');
    const follower = new LogFollower(path, 'end');
    makeSparse(path);
    expect(follower.read().length).toBeLessThanOrEqual(largestReadLength);
    expect(follower.offset).toBeLessThanOrEqual(largestReadLength);
    truncateSync(path, 3);
    expect(follower.read()).toBe('\0\0\0');
    follower.close();
  });

  test('below something that is no folder waits, and throws nothing', () => {
    writeFileSync(join(folder, 'file'), '');
    for (const below of [join(folder, 'file', 'log'), join(folder, 'x'.repeat(5_000)), join(folder, '\0')]) {
      const follower = new LogFollower(below, 'end');
      expect([follower.read(), follower.isAtLineStart]).toEqual(['', true]);
      follower.close();
    }
  });
});

describe('the tail', () => {
  test('of any bytes in any files is the end of their lines', () => {
    const anyBytes = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    const rotated = fc.array(fc.oneof(anyBytes, anyText.map(Buffer.from)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(rotated, fc.integer({ min: -1, max: 20 }), (files, lines) => {
        clear();
        for (const [number, bytes] of files.entries()) writeFileSync(number === 0 ? path : `${path}.${number}`, bytes);
        const all = files.toReversed().flatMap((bytes) =>
          bytes
            .toString('utf8')
            .replace(/\r?\n$/, '')
            .split(/\r?\n/)
            .slice(bytes.length === 0 ? 1 : 0),
        );
        expect(store.tail(path, lines)).toEqual(lines <= 0 ? [] : all.slice(-lines));
      }),
      runs(100),
    );
  });

  test('of whatever stands in the place of a log is short, or fails with a code', () => {
    for (const [what, make] of Object.entries(oddPlaces)) {
      clear();
      make(path);
      try {
        const lines = store.tail(path, 10);
        expect(lines.join('\n').length, what).toBeLessThanOrEqual(16 * 1024 * 1024);
      } catch (error) {
        expect(['unsafe-home', 'unwritable'], what).toContain(codeOf(error));
      }
    }
  });
});

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Invocation, isUsageError } from '../../../src/app/cli/invocation.js';
import { readPlainSyntax } from '../../../src/app/cli/plain-syntax.js';
import { specOf } from '../../../src/app/cli/spec-options.js';
import { verbTable } from '../../../src/app/cli/verb-table.js';
import { checkedName } from '../../../src/domain/daemon-name.js';
import { formatDuration, formatSize, longestDurationMs, parseDuration, parseSize } from '../../../src/domain/quantity.js';
import { formatReadyCondition, parseReadyCondition } from '../../../src/domain/ready-condition.js';
import { isNewerVersion } from '../../../src/domain/version.js';
import { packageRoot } from '../../support/suite.js';
import { codeOf, fc, isPrototypeClean, runs } from '../support/fuzz.js';

// As it is built, since clipanion's modules for bundlers are none for Node.
const { readFullSyntax }: typeof import('../../../src/app/cli/full-syntax.js') = createRequire(import.meta.url)(
  join(packageRoot, 'dist', 'cli', 'full-syntax.cjs'),
);

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '\0', '\ud800', '__proto__', 'x'.repeat(5_000)));
const flags = [...new Set(verbTable.flatMap(({ options }) => options.flatMap(({ flag, short }) => (short ? [flag, short] : [flag]))))];
const anyValue = fc.oneof(
  fc.constantFrom(
    '10s',
    '-1',
    '1e9',
    '0',
    'NaN',
    '__proto__=1',
    'A=',
    '=',
    'log:(',
    'log:(a+)+$',
    'port:0',
    'port:65536',
    'http:http://[',
    'SIGKILL',
    '-',
    '--',
  ),
  anyText,
);
const anyWord = fc.oneof(
  fc.constantFrom(
    ...verbTable.map(({ verb }) => verb),
    ...flags,
    '--help',
    '-h',
    '-v',
    'help',
    '--',
    '-',
    '-=',
    '--=',
    '-nf',
    '-n=3',
    '-f-n',
  ),
  fc.tuple(fc.constantFrom(...flags), anyValue).map(([flag, value]) => `${flag}=${value}`),
  anyValue,
);
const argv = fc
  .tuple(fc.constantFrom(...verbTable.map(({ verb }) => verb), '__proto__', ''), fc.array(anyWord, { maxLength: 8 }))
  .map(([verb, words]) => [verb, ...words]);

/** Everything that is read out of arguments before anything is done. */
function understand(words: readonly string[]): string {
  const plain = readPlainSyntax(words);
  const full = plain ? undefined : readFullSyntax(words, '1.0.0');
  if (full?.kind === 'text') return 'text';
  const invocation = new Invocation(plain ?? full!.parsed);
  invocation.durationMs('--grace');
  invocation.durationMs('--timeout');
  invocation.count('--lines', 1_000_000);
  const spec = specOf(invocation, () => '/');
  return spec ? 'spec' : 'arguments';
}

describe('the command line', () => {
  test('any words are understood, or are wrong usage in one sentence', () => {
    fc.assert(
      fc.property(argv, (words) => {
        try {
          expect(['text', 'spec', 'arguments']).toContain(understand(words));
        } catch (error) {
          if (!isUsageError(error)) throw error;
          expect(error.message.length).toBeGreaterThan(0);
        }
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(600),
    );
  });

  test('a variable may have any name, __proto__ included', () => {
    const plain = readPlainSyntax(['start', 'clock', '--env', '__proto__=x', '--', 'sleep']);
    const spec = specOf(new Invocation(plain!), () => '/');
    expect(Object.entries(spec?.env ?? {})).toEqual([['__proto__', 'x']]);
  });

  test('any text is a name, or invalid-name', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          expect(checkedName(text)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
        } catch (error) {
          expect(codeOf(error)).toBe('invalid-name');
        }
      }),
      runs(500),
    );
  });
});

describe('quantities', () => {
  const number = fc.oneof(
    fc.double({ min: 0 }).map(String),
    fc.bigInt({ min: 0n }).map(String),
    fc.constantFrom('', '-1', '0', '.5', '1.', '1e3', '9'.repeat(400)),
  );
  const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd', 'B', 'KB', 'mb', 'GB', '', ' s', 'S', 'constructor');
  const anyQuantity = fc.oneof(
    fc.tuple(number, unit).map((parts) => parts.join('')),
    anyText,
  );

  test('any text is a duration that a timer takes, or none', () => {
    fc.assert(
      fc.property(anyQuantity, (text) => {
        const ms = parseDuration(text) ?? 0;
        expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= longestDurationMs).toBe(true);
        expect(formatDuration(ms)).toMatch(/^\d+(ms|s|m|h|d)( \d+(s|m|h))?$/);
      }),
      runs(500),
    );
  });

  test('any text is a size of whole bytes, or none', () => {
    fc.assert(
      fc.property(anyQuantity, (text) => {
        const bytes = parseSize(text) ?? 1;
        expect(Number.isSafeInteger(bytes) && bytes >= 1).toBe(true);
        expect(formatSize(bytes)).toMatch(/^[\d.]+(e\+\d+)?(B|KB|MB|GB)$/);
      }),
      runs(500),
    );
  });

  test('any text is a readiness that reads back the same, or a sentence', () => {
    const text = fc.oneof(
      fc.tuple(fc.constantFrom('exec', 'socket', 'port', 'http', 'log', 'notify', '__proto__'), anyValue).map((parts) => parts.join(':')),
      anyText,
    );
    fc.assert(
      fc.property(text, (written) => {
        const condition = parseReadyCondition(written);
        if (typeof condition === 'string') expect(condition).not.toBe('');
        else expect(parseReadyCondition(formatReadyCondition(condition))).toEqual(condition);
      }),
      runs(500),
    );
  });

  test('of any two versions at most one is newer', () => {
    const part = fc.oneof(fc.nat({ max: 3 }).map(String), fc.constantFrom('9'.repeat(30), '01', '-1', ''));
    const version = fc.oneof(
      fc.tuple(part, part, part, fc.constantFrom('', '-a', '-1', '-a.1', '-1.a', '+b')).map(([a, b, c, rest]) => `${a}.${b}.${c}${rest}`),
      anyText,
    );
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(isNewerVersion(a, b) && isNewerVersion(b, a)).toBe(false);
        expect(isNewerVersion(a, a)).toBe(false);
      }),
      runs(500),
    );
  });
});

import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUsageError, type ParsedArguments } from '../../src/app/cli/invocation.js';
import { readPlainSyntax } from '../../src/app/cli/plain-syntax.js';
import { verbTable } from '../../src/app/cli/verb-table.js';
import { packageRoot } from '../support/suite.js';

// As it is built, since clipanion's modules for bundlers are none for Node.
const { readFullSyntax }: typeof import('../../src/app/cli/full-syntax.js') = createRequire(import.meta.url)(
  join(packageRoot, 'dist', 'cli', 'full-syntax.cjs'),
);

const verbs = verbTable.map(({ verb }) => verb);
const flags = [...new Set(verbTable.flatMap(({ options }) => options.flatMap(({ flag, short }) => (short ? [flag, short] : [flag]))))];

/** Words that are likely to be read, and some that are likely to be misread. */
const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...flags) },
  { weight: 3, arbitrary: fc.constantFrom('clock', 'web', '10s', '/tmp/x', 'K=V', 'log:^up$', 'A=', 'stop', 'true', '0') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '--',
      '-',
      '---',
      '',
      '-n3',
      '-fn',
      '-x',
      '--json=1',
      '--no-json',
      '--home=',
      '--grace=10s',
      '-h',
      '--help',
      '-v',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(...verbs) },
  { weight: 1, arbitrary: fc.string() },
);
const argv = fc.oneof(
  fc.tuple(fc.constantFrom(...verbs), fc.array(word, { maxLength: 6 })).map(([verb, rest]) => [verb, ...rest]),
  fc
    .tuple(
      fc.array(fc.constantFrom('--json', '--home', '/x'), { maxLength: 3 }),
      fc.constantFrom(...verbs),
      fc.array(word, { maxLength: 4 }),
    )
    .map(([before, verb, after]) => [...before, verb, ...after]),
  fc.array(word, { maxLength: 6 }),
);

/** Each verb with names and options as its own syntax asks for, in any order, so that the plain reader answers often. */
const wellFormed = fc.constantFrom(...verbTable).chain(({ verb, names, options, command }) => {
  const value = fc.constantFrom('10s', 'a', '/tmp/x', 'K=V=W', 'log:a b', '3');
  const name = fc.constantFrom('clock', 'web.1', 'A_b-c');
  const count = { none: [0, 0], one: [1, 1], optional: [0, 1], some: [1, 3], any: [0, 3] }[names] as [number, number];
  const option = fc
    .tuple(fc.constantFrom(...options), value)
    .map(([{ flag, short, kind }, text]) => (kind === 'flag' ? [short ?? flag] : [flag, text]));
  return fc
    .tuple(
      fc.array(
        name.map((one) => [one]),
        { minLength: count[0], maxLength: count[1] },
      ),
      fc.array(option, { maxLength: 4 }),
      fc.option(fc.array(word, { maxLength: 3 }), { nil: undefined }),
      fc.infiniteStream(fc.nat(1_000)),
    )
    .map(([some, given, own, order]) => {
      const shuffled = [...some, ...given].map((part) => ({ part, key: order.next().value as number })).sort((a, b) => a.key - b.key);
      return [verb, ...shuffled.flatMap(({ part }) => part), ...(command && own ? ['--', ...own] : [])];
    });
});

function comparable({ verb, names, flags: given, values, command }: ParsedArguments) {
  return { verb, names: [...names], flags: [...given].sort(), values: [...values].sort(), command: command && [...command] };
}

describe('the plain reading of a command line', () => {
  test('is that of the full syntax wherever it gives one', () => {
    let answered = 0;
    fc.assert(
      fc.property(fc.oneof(wellFormed, argv), (words) => {
        const plain = readPlainSyntax(words);
        if (!plain) return;
        answered++;
        const full = readFullSyntax(words, '0.0.0');
        expect(full.kind === 'arguments' && comparable(full.parsed)).toEqual(comparable(plain));
      }),
      { numRuns: 600 },
    );
    // A reader that never answers would agree with everything.
    expect(answered).toBeGreaterThan(100);
  });

  test('is given for what people and scripts write most', () => {
    const usual = [
      ['status', 'clock'],
      ['status', 'clock', '--json'],
      ['--json', 'status', 'clock'],
      ['stop', 'a', 'b'],
      ['start', 'clock', '--ready', 'socket', '--env', 'A=1', '--env', 'B=2', '--', 'node', '--inspect', 'x.js', '--', '-y'],
      ['logs', 'clock', '-f', '-n', '20'],
    ];
    for (const words of usual) expect([words, readPlainSyntax(words)]).toEqual([words, expect.anything()]);
  });
});

describe('the full reading of a command line', () => {
  test('gives arguments, a text or a usage error of one line, whatever it is given', () => {
    fc.assert(
      fc.property(argv, (words) => {
        try {
          expect(['arguments', 'text']).toContain(readFullSyntax(words, '0.0.0').kind);
        } catch (error) {
          expect(isUsageError(error), `${words.join(' ')}: ${(error as Error).stack}`).toBe(true);
          expect((error as Error).message).not.toContain('\n');
        }
      }),
      { numRuns: 600 },
    );
  });
});

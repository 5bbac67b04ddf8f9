import { describe, expect, test } from 'vitest';
import { parseProcStat } from '../../../src/adapters/linux/proc-stat.js';
import { parseBootSession, parsePlatformUuid } from '../../../src/adapters/macos/machine-identity.js';
import { parseProcessTable, withSessions } from '../../../src/adapters/macos/process-table.js';
import { hasLeftGate, marksInText, parseCommands } from '../../../src/adapters/macos/process-text.js';
import { parseUsage } from '../../../src/adapters/macos/usage-text.js';
import { parseMarks } from '../../../src/adapters/posix/marks.js';
import { fc, isPrototypeClean, runs } from '../support/fuzz.js';

const anyNumber = fc.oneof(fc.nat().map(String), fc.constantFrom('18446744073709551615', '-1', '0'));
const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom(' ', ')', '(', '\n', '\0', '=', '1', '\u2028'), fc.string({ unit: 'binary', maxLength: 1 })),
});

describe('the parser of /proc/<pid>/stat', () => {
  const command = fc.oneof(fc.constantFrom(') S 1 1 1', '(', '))', '\n', '1 (x) Z 9 9 9 0'), anyText);
  const fields = fc.array(anyNumber, { minLength: 19, maxLength: 60 });

  test('a command of any look never moves a field', () => {
    fc.assert(
      fc.property(fc.nat(), command, fc.constantFrom('S', 'R', 'Z'), fields, (pid, name, state, rest) => {
        const parsed = parseProcStat(`${pid} (${name}) ${[state, ...rest].join(' ')}\n`);
        expect(parsed).toMatchObject({
          pid,
          parent: Number(rest[0]),
          processGroup: Number(rest[1]),
          startToken: rest[18],
          // One whose first thread alone has ended shows the same letter.
          zombie: state === 'Z' && Number(rest[16]) <= 1,
        });
      }),
      runs(500),
    );
  });

  test('any text at all is a line or none, and throws nothing', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: 'binary', maxLength: 4_096 })), (text) => {
        const parsed = parseProcStat(text);
        if (parsed) expect(typeof parsed.startToken).toBe('string');
      }),
      runs(500),
    );
  });

  test('a line cut off at any byte gives no start token but its own beginning', () => {
    const line = `4242 (a b) ${['S', ...Array(40).fill('7')].join(' ')}\n`;
    for (let length = 0; length < line.length; length++) expect(parseProcStat(line.slice(0, length))?.startToken ?? '7').toMatch(/^7?$/);
  });
});

describe('the parsers of what macOS prints', () => {
  const cell = fc.oneof(anyNumber, fc.constantFrom('Ss', 'Z+', 'Mon Nov 23 00:20:47 2026', 'Feb 31', '__proto__'), anyText);
  const table = fc
    .array(
      fc.array(cell, { maxLength: 8 }).map((cells) => cells.join(' ')),
      { maxLength: 6 },
    )
    .map((lines) => lines.join('\n'));

  test('any table gives rows of whole numbers, and throws nothing', () => {
    fc.assert(
      fc.property(fc.oneof(table, anyText), (text) => {
        for (const row of withSessions(parseProcessTable(text))) {
          for (const number of [row.pid, row.parent, row.processGroup, row.uid, row.session]) expect(Number.isNaN(number)).toBe(false);
          expect(row.pid).toBeGreaterThanOrEqual(0);
          expect(row.startToken).toMatch(/^-?\d+$/);
        }
        for (const pid of parseCommands(text).keys()) expect(pid).toBeGreaterThanOrEqual(0);
      }),
      runs(500),
    );
  });

  test('any other answer is understood or not, and throws nothing', () => {
    fc.assert(
      fc.property(anyText, anyText, (text, other) => {
        parseBootSession(text);
        parsePlatformUuid(text);
        const usage = parseUsage(text);
        if (usage) expect(Object.values(usage).some(Number.isNaN)).toBe(false);
        expect(typeof hasLeftGate(text, other)).toBe('boolean');
        expect(typeof marksInText(`${text} ${other}`, text)).toMatch(/undefined|object/);
        expect(typeof parseMarks(`${text}\0${other}`.split('\0'))).toMatch(/undefined|object/);
        expect(isPrototypeClean()).toBe(true);
      }),
      runs(500),
    );
  });
});

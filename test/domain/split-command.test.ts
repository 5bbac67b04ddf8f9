import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { splitCommand } from '../../src/domain/split-command.js';
import { fc } from './property.js';

describe('a command that is a text', () => {
  test.each<[string, readonly string[]]>([
    ['node server.js', ['node', 'server.js']],
    ['  node\t server.js \n', ['node', 'server.js']],
    [`node 'a b' "c d" e\\ f`, ['node', 'a b', 'c d', 'e f']],
    [`x ''`, ['x', '']],
    [`x a''b"c"`, ['x', 'abc']],
    [`x "a\\"b\\\\c\\$d\\\`e\\f"`, ['x', 'a"b\\c$d`e\\f']],
    [`x '\\n$HOME *|&;'`, ['x', '\\n$HOME *|&;']],
    ['x \\$HOME \\* \\| \\~', ['x', '$HOME', '*', '|', '~']],
    ['x a#b a~b --x=1 {} a=b 50% @ ^ : , + - }', ['x', 'a#b', 'a~b', '--x=1', '{}', 'a=b', '50%', '@', '^', ':', ',', '+', '-', '}']],
    ['x a \\\n b', ['x', 'a', 'b']],
    ['x "a\\\nb"', ['x', 'ab']],
    ['x a\\ ', ['x', 'a ']],
    ['"cd" x', ['cd', 'x']],
    [`'A=1' x`, ['A=1', 'x']],
    ['x \u00a0 ä\u3000b', ['x', '\u00a0', 'ä\u3000b']],
  ])('%j is %j', (text, words) => {
    expect(splitCommand(text)).toEqual(words);
  });

  test.each([
    ['a | b', '| is a pipe'],
    ['a && b', '& is a background job or &&'],
    ['a; b', '; is a second command'],
    ['a > b', '> is a redirection'],
    ['a 2>&1', '> is a redirection'],
    ['a < b', '< is a redirection'],
    ['(a)', '( is a subshell'],
    ['a $B', '$ is a variable'],
    ['a "$B"', '$ is a variable'],
    ['a `b`', '` is a command of its own'],
    ['a "`b`"', '` is a command of its own'],
    ['a *.js', '* is a pattern of file names'],
    ['a b?', '? is a pattern of file names'],
    ['a [ab]', '[ is a pattern of file names'],
    ['a ~/b', '~ is a home folder'],
    ['a --b=~/c', '~ is a home folder'],
    ['a {b,c}', '{ is a list of words'],
    ['a {},c}', '{ is a list of words'],
    ['a # b', '# is a comment'],
    ['a\nb', 'a line break is a second command'],
    ['cd /x', 'cd is a word of the shell'],
    ['exec node x', 'exec is a word of the shell'],
    ['. x', '. is a word of the shell'],
  ])('%j takes a shell, and it is said how', (text, why) => {
    expect(splitCommand(text)).toBe(`${why}, which takes a shell: write [sh, -c, "…"], or quote it if it is meant as it is`);
  });

  test.each([
    ["a 'b", 'a single quote is never closed'],
    ['a "b', 'a double quote is never closed'],
    ['a b\\', 'it ends in a backslash'],
    ['', 'it names no program'],
    [' \n', 'it names no program'],
    [`'' x`, 'it names no program'],
    ['a\0b', 'it holds a zero byte, which no argument can'],
    ['PORT=1 node x', 'PORT=… before a command is for a shell: name the variable under env'],
  ])('%j is refused: %s', (text, why) => {
    expect(splitCommand(text)).toBe(why);
  });

  test('is split without a thought of a shell where none was ever meant', () => {
    const split = (text: string) => splitCommand(text, { literal: true });
    expect(split(`a|b $C *.js ~ "x \\$ y" 'z' a\\ b; #c`)).toEqual(['a|b', '$C', '*.js', '~', 'x \\$ y', 'z', 'a b;', '#c']);
    expect(split('cd /x\n  --y')).toEqual(['cd', '/x', '--y']);
    expect(split('a "b')).toBe('a double quote is never closed');
  });
});

const character = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...'ab1 \t\'"\\$`|&;<>()*?[]{}~#!=:,.-\n%^@') },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }).filter((one) => one !== '\0') },
);
const anyText = fc.array(character, { maxLength: 14 }).map((characters) => characters.join(''));

/** The same argument, in one of the ways in which it can be written. */
const quotings: readonly ((argument: string) => string)[] = [
  (argument) => `'${argument.replaceAll("'", `'\\''`)}'`,
  (argument) => `"${argument.replace(/[$`"\\]/g, '\\$&')}"`,
  (argument) => (argument === '' ? "''" : [...argument].map((char) => (char === '\n' ? "'\n'" : `\\${char}`)).join('')),
];
const quoted = fc.tuple(anyText, fc.constantFrom(...quotings));

describe('a command that is a text, whatever it holds', () => {
  test('of quoted arguments gives the arguments', () => {
    fc.assert(
      fc.property(fc.array(quoted, { minLength: 1, maxLength: 5 }), fc.constantFrom(' ', '\t', '  '), (parts, blank) => {
        const words = parts.map(([argument]) => argument);
        fc.pre(words[0] !== '');
        expect(splitCommand(parts.map(([argument, quote]) => quote(argument)).join(blank))).toEqual(words);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is what a shell makes of it, wherever it is split at all', () => {
    const texts = fc.sample(
      fc.array(
        fc.oneof(
          anyText,
          quoted.map(([argument, quote]) => quote(argument)),
        ),
        { maxLength: 4 },
      ),
      4_000,
    );
    const accepted = texts.flatMap((parts) => {
      const text = `x ${parts.join(' ')}`;
      const words = splitCommand(text);
      return typeof words === 'string' ? [] : [{ text, words }];
    });
    // Refusing everything would agree with any shell.
    expect(accepted.length).toBeGreaterThan(800);
    // One shell for all of them. Each text stands on its own lines, as it would in a script.
    const script = accepted.map(({ text }) => `set -- ${text}\nprintf '%s\\0' "$#" "$@"`).join('\n');
    const said = execFileSync('/bin/sh', ['-s'], { input: script, env: { PATH: '/nonexistent', LC_ALL: 'C' }, maxBuffer: 64 * 1024 ** 2 });
    const fields = said.toString().split('\0');
    for (const { text, words } of accepted) {
      const count = Number(fields.shift());
      expect([text, fields.splice(0, count)]).toEqual([text, words]);
    }
    expect(fields).toEqual(['']);
  });
});

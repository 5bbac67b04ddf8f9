import { describe, expect, it } from 'vitest';
import { batchCommandLine, commandLine, isBatchFile, quoteArgument } from '../../../src/adapters/windows/command-line.js';
import { fc } from '../../domain/property.js';
import { takeApart } from './take-apart.js';

const tricky = fc.string({ unit: fc.constantFrom('\\', '"', ' ', '\t', '%', '^', '&', 'a', 'é', '\n'), maxLength: 12 });

describe('commandLine', () => {
  it('is taken apart into the arguments that it was made of', () => {
    fc.assert(
      fc.property(fc.array(tricky), (args) => {
        expect(takeApart(commandLine('C:\\Program Files\\x.exe', args))).toEqual(['C:\\Program Files\\x.exe', ...args]);
      }),
    );
  });

  it.each([
    ['plain', 'plain'],
    ['', '""'],
    ['C:\\a b\\', '"C:\\a b\\\\"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['C:\\folder\\', 'C:\\folder\\'],
  ])('quotes %s as %s', (argument, quoted) => {
    expect(quoteArgument(argument)).toBe(quoted);
  });
});

describe('batchCommandLine', () => {
  const shell = 'C:\\Windows\\system32\\cmd.exe';
  const line = (...args: string[]) => batchCommandLine(shell, 'C:\\x y.cmd', args);

  it('keeps every argument within quotes, so that no character of it is a command', () => {
    fc.assert(
      fc.property(fc.array(tricky.filter((text) => !/[\n]/.test(text))), (args) => {
        const inner = line(...args).slice(`"${shell}" /e:ON /v:OFF /d /s /c "`.length, -1);
        // Two quotes in a row close and open again: outside of quotes are the blanks between arguments alone.
        expect(inner.replace(/"[^"]*"/g, '').trim()).toBe('');
      }),
    );
  });

  it('never lets a variable be expanded', () => {
    fc.assert(
      fc.property(fc.array(tricky.filter((text) => !/[\n]/.test(text))), (args) => {
        const expanded = line(...args).replaceAll('%cd:~,%', '');
        expect(expanded).not.toMatch(/%[^%]+%[^%]*%cd/);
        expect(expanded.match(/%/g)?.length ?? 0).toBe(args.join('').match(/%/g)?.length ?? 0);
      }),
    );
  });

  it('refuses what cmd.exe would take for the end of the line', () => {
    expect(() => line('a\nb')).toThrow('no argument of one may have a line break');
  });

  it.each([
    ['x.cmd', true],
    ['x.BAT', true],
    ['x.bat .', true],
    ['x.exe', false],
    ['x.bat\\y.exe', false],
  ])('isBatchFile: %s: %s', (file, expected) => {
    expect(isBatchFile(file)).toBe(expected);
  });
});

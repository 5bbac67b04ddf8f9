import { describe, expect, it } from 'vitest';
import { environmentBlock, foldEnvironment, parseEnvironmentBlock, respell, variable } from '../../../src/adapters/windows/environment.js';
import { fc } from '../../domain/property.js';

const names = fc.string({ unit: fc.constantFrom('a', 'A', 'b', 'B', '_', 'é', '('), minLength: 1, maxLength: 3 });
const values = fc.string({ unit: fc.constantFrom('x', '=', ' ', '"', 'ü', '%'), maxLength: 6 });
const environments = fc.dictionary(names, values);

describe('foldEnvironment', () => {
  it('has each name once, in its first spelling, with its last value', () => {
    fc.assert(
      fc.property(environments, (env) => {
        const folded = foldEnvironment(env);
        const keys = Object.keys(folded).map((name) => name.toUpperCase());
        expect(new Set(keys).size).toBe(keys.length);
        for (const name of Object.keys(env)) {
          const same = Object.keys(env).filter((other) => other.toUpperCase() === name.toUpperCase());
          expect(variable(folded, name)).toBe(env[same.at(-1) as string]);
          expect(Object.keys(folded)).toContain(same[0]);
        }
      }),
    );
  });

  it('respell: names are found in the spelling that is asked for', () => {
    expect(respell({ Path: 'x', other: 'y' }, ['PATH'])).toEqual({ PATH: 'x', other: 'y' });
  });
});

describe('environmentBlock', () => {
  it('says what was put into it', () => {
    fc.assert(
      fc.property(environments, (env) => {
        const expected = Object.entries(foldEnvironment(env)).map(([name, value]) => [name.toUpperCase(), value]);
        expect(Object.fromEntries(parseEnvironmentBlock(environmentBlock(env)))).toEqual(Object.fromEntries(expected));
      }),
    );
  });

  it('is sorted and ends with two zeros, also when it is empty', () => {
    expect(environmentBlock({ b: '2', A: '1' }).toString('utf16le')).toBe('A=1\0b=2\0\0');
    expect(environmentBlock({}).toString('utf16le')).toBe('\0\0');
  });

  it('parse: the folders of drives are no variables', () => {
    expect([...parseEnvironmentBlock(Buffer.from('=C:=C:\\x\0a=1\0\0rest=2\0', 'utf16le'))]).toEqual([['A', '1']]);
  });
});

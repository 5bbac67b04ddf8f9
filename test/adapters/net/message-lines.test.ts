import { describe, expect, test } from 'vitest';
import { LineSplitter } from '../../../src/adapters/net/message-lines.js';

function split(splitter: LineSplitter, ...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  for (const chunk of chunks) {
    splitter.push(Buffer.from(chunk as string));
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(String(line));
  }
  return lines;
}

describe('LineSplitter', () => {
  test('lines come whole, however they are cut', () => {
    expect(split(new LineSplitter(), 'one\ntw', 'o\n', '\n', 'three')).toEqual(['one', 'two', '']);
    expect(split(new LineSplitter(), ...Array.from('äö\n€\n', (character) => character))).toEqual(['äö', '€']);
  });

  test('a character cut in two stays one', () => {
    const bytes = Buffer.from('"grün €"\n');
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(split(new LineSplitter(), bytes.subarray(0, cut), bytes.subarray(cut))).toEqual(['"grün €"']);
    }
  });

  test('a line may have as many bytes as the bound, and not one more', () => {
    expect(split(new LineSplitter(4), 'abcd\nabc\n')).toEqual(['abcd', 'abc']);
    expect(split(new LineSplitter(4), 'abcde')).toEqual(['overflow']);
    expect(split(new LineSplitter(4), 'ab\nab', 'cde\nx\n')).toEqual(['ab', 'overflow']);
    expect(split(new LineSplitter(4), 'abcde\nx\n')).toEqual(['overflow']);
  });

  test('a line that comes byte by byte is held once', () => {
    const splitter = new LineSplitter();
    const early = Array.from({ length: 10_000 }, () => split(splitter, 'a')).flat();
    expect(early).toEqual([]);
    expect(split(splitter, '\n')).toEqual(['a'.repeat(10_000)]);
  });
});

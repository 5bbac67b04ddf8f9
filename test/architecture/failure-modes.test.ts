import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findFaults, type TestFiles } from './failure-modes.js';
import { readTestTitles } from './test-titles.js';

const root = join(import.meta.dirname, '..', '..');

/** All tests but those of this very check, whose samples would count. */
function testFiles(): TestFiles {
  const files = readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'failure-modes.test.ts',
  );
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')];
    }),
  );
}

describe('docs/failure-modes.md', () => {
  const markdown = readFileSync(join(root, 'docs', 'failure-modes.md'), 'utf8');

  test('says of every line what there is, and nothing else', () => {
    expect(findFaults(markdown, testFiles())).toEqual([]);
  });

  test('is held against tests with numbers in their titles', () => {
    const numbered = [...testFiles().values()].flatMap(readTestTitles).filter(({ title }) => /\bF\d/.test(title));
    expect(numbered.length).toBeGreaterThan(60);
  });

  test.each([
    ['an entry is missing', (text: string) => text.replace(/^### F11 [^#]+/m, '')],
    ['a test is renamed', (text: string) => text.replace(/32 starters make/, '33 starters make')],
    ['a count is wrong', (text: string) => text.replace(/^\| Covered \| (\d+) /m, (_, count) => `| Covered | ${Number(count) + 1} `)],
  ])('would be found out if %s', (_, change) => {
    expect(change(markdown)).not.toBe(markdown);
    expect(findFaults(change(markdown), testFiles())).not.toEqual([]);
  });
});

describe('the check of the catalogue', () => {
  const summary = (covered: string, partly: string, not: string) =>
    `| Covered | ${covered} |\n| Partly | ${partly} |\n| Not covered | ${not} |`;
  const told = '*Elsewhere.* It breaks.\n*Here.* It does not.';
  const first = `### F1 · One\n\n${told}\n\n**Covered**\n- \`test/a.test.ts\`: \`holds (F1)\`\n`;
  const second = `### F2 · Two\n\n${told}\n\n**Partly**: only half.\n- \`test/a.test.ts\`: \`\${what}: holds\`\n- \`test/a.test.ts\`: \`a group (F2)\`\n`;
  const third = `### F3 · Three\n\n${told}\n\n**Not covered**, because nobody has written it.\n`;
  const counts = summary('1 | F1', '1 | F2', '1 | F3');
  const page = `# All\n\n${counts}\n\n## Some\n\n${first}\n${second}\n## Others\n\n${third}`;
  const file = "test('holds (F1)', () => {});\ndescribe('a group (F2)', () => {\n  test.each([1])(`\u0024{what}: holds`, () => {});\n});\n";
  const faults = (markdown: string, tests = file) => findFaults(markdown, new Map([['test/a.test.ts', tests]]), 3);

  test('has nothing to say where all is well', () => {
    expect(faults(page)).toEqual([]);
  });

  const wrong: [string, string][] = [
    ['F2 has no entry', page.replace(second, '')],
    ['F1 is there twice', page.replace(third, first)],
    ['F4 is there twice, or is no line', `${page}${third.replace('F3', 'F4')}`],
    ['is no heading', page.replace('### F3 ·', '### F3:')],
    ['F1 names test/b.test.ts, which is not there', page.replace('a.test.ts`: `holds', 'b.test.ts`: `holds')],
    ['F1 names "held (F1)", which test/a.test.ts does not have', page.replace('holds (F1)', 'held (F1)')],
    ['F1 names no test', page.replace(/- .*F1.*/, '')],
    ['F1 does not say, once, which it is', page.replace('**Covered**', '**Done**')],
    ['F1 does not say, once, which it is', page.replace('**Covered**', '**Covered**\n**Partly**: half.')],
    ['F1 is covered, with a reservation', page.replace('**Covered**', '**Covered**: mostly.')],
    ['F2 does not say what is missing', page.replace('**Partly**: only half.', '**Partly**')],
    ['F3 does not say what is missing', page.replace(', because nobody has written it.', '')],
    ['F3 is not covered, and names tests', page.replace(/(because .*)/, '$1\n- `test/a.test.ts`: `a group (F2)`')],
    ['F1 has an item that names no test', page.replace('- `test/a.test.ts`: `holds', '- it holds\n- `test/a.test.ts`: `holds')],
    ['F3 does not tell, once each', page.replace(third, third.replace('*Here.*', 'Here.'))],
    ['the summary has no row | Covered | 1 | F1 |', page.replace('| Covered | 1 ', '| Covered | 2 ')],
    ['the summary has no row | Partly | 1 | F2 |', page.replace('| Partly | 1 | F2 |', '| Partly | 1 | F3 |')],
  ];
  test.each(wrong)('says "%s …"', (fault, markdown) => {
    expect(markdown).not.toBe(page);
    expect(faults(markdown)).toContainEqual(expect.stringContaining(fault));
  });

  const changed: [string, string][] = [
    ['F1 names "holds (F1)", which test/a.test.ts does not have', file.replace('holds (F1)', 'is held (F1)')],
    ['F1 lacks the test - `test/a.test.ts`: `is held (F1)`', file.replace('holds (F1)', 'is held (F1)')],
    ['F1 names "holds (F1)", which test/a.test.ts does not have', `// ${file}`],
    ['which does not carry its number', file.replace('a group (F2)', 'a group')],
    ['F3 lacks the test - `test/a.test.ts`: `another (F3)`', `${file}it.skipIf(!x(1))(\n  'another (F3)',\n  () => {},\n);`],
    ['F9 lacks the test - `test/a.test.ts`: `of no line (F9)`', `${file}test('of no line (F9)', () => {});`],
  ];
  test.each(changed)('says "%s" when the tests change', (fault, tests) => {
    expect(faults(page, tests)).toContainEqual(expect.stringContaining(fault));
  });
});

describe('the titles of a test file', () => {
  const found: [string, string[]][] = [
    ["test('a', () => {});", ['a']],
    ["describe.skipIf(!has('b')).each(['c'])(\n  'd %s',\n  () => {},\n);", ['d %s']],
    ["test.for([[')', /\\)/]])(\"it's\", () => {});", ["it's"]],
    ["test(`of \u0024{names['x']} and \u0024{n}`, () => {});", ["of \u0024{names['x']} and \u0024{n}"]],
    ["// test('a', b)\nconst text = \"test('a', b)\"; base.test('a', b); contest('a', b); test(a, 'b'); /test('a', b)/.test('a');", []],
  ];
  test.each(found)('of %j', (text, titles) => {
    expect(readTestTitles(text).map(({ title }) => title)).toEqual(titles);
  });

  test('know the groups that they stand in', () => {
    const text = "describe('a', () => { describe('b', () => { it('c', () => {}); }); it('d', () => {}); });\nit('e', () => {});";
    expect(readTestTitles(text)).toEqual([
      { title: 'a', groups: [] },
      { title: 'b', groups: ['a'] },
      { title: 'c', groups: ['a', 'b'] },
      { title: 'd', groups: ['a'] },
      { title: 'e', groups: [] },
    ]);
  });
});

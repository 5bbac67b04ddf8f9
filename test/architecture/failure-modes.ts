import { readTestTitles } from './test-titles.js';

/** Test files by their path below the project, as in `test/cli/start.test.ts`. */
export type TestFiles = ReadonlyMap<string, string>;

export const statuses = ['Covered', 'Partly', 'Not covered'] as const;
type Status = (typeof statuses)[number];

/** How many lines the catalogue has, numbered from 1. */
export const lineCount = 56;

interface Reference {
  readonly path: string;
  readonly title: string;
}

interface Entry {
  readonly number: number;
  readonly status: Status | undefined;
  readonly reason: string;
  readonly references: readonly Reference[];
  readonly text: string;
}

/**
 * Holds the catalogue of failure modes against the tests, both ways. Every fault is one sentence; none means that what it
 * says is there is there, and that nothing that is there is left out.
 */
export function findFaults(markdown: string, files: TestFiles, lines = lineCount): readonly string[] {
  const entries = readEntries(markdown);
  const titles = [...files].flatMap(([path, text]) => readTestTitles(text).map((title) => ({ path, ...title })));
  const carries = (text: string, number: number) => numbersIn(text).includes(number);

  const missing = Array.from({ length: lines }, (_, index) => index + 1).filter(
    (number) => !entries.some((entry) => entry.number === number),
  );
  const strange = entries.filter(({ number }, index) => number > lines || entries.findIndex((entry) => entry.number === number) !== index);
  const unheaded = markdown.split('\n').filter((line) => line.startsWith('###') && !heading.test(line));

  const dangling = entries.flatMap(({ number, references }) =>
    references.flatMap(({ path, title }) => {
      if (!files.has(path)) return [`F${number} names ${path}, which is not there`];
      const found = titles.filter((one) => one.path === path && one.title === title);
      if (found.length === 0) return [`F${number} names "${title}", which ${path} does not have`];
      if (found.some(({ groups }) => [title, ...groups].some((text) => carries(text, number)))) return [];
      return [`F${number} names "${title}" in ${path}, which does not carry its number`];
    }),
  );
  const unlisted = titles.flatMap(({ path, title }) =>
    numbersIn(title).flatMap((number) => {
      const isListed = entries.some(
        (entry) => entry.number === number && entry.references.some((one) => one.path === path && one.title === title),
      );
      return isListed ? [] : [`F${number} lacks the test - \`${path}\`: \`${title}\``];
    }),
  );
  return [
    ...missing.map((number) => `F${number} has no entry`),
    ...strange.map(({ number }) => `F${number} is there twice, or is no line of the catalogue`),
    ...unheaded.map((line) => `"${line}" is no heading of an entry`),
    ...entries.flatMap(shapeFaults),
    ...dangling,
    ...unlisted,
    ...summaryFaults(markdown, entries),
  ];
}

const heading = /^### F([1-9]\d*) · (.+)$/;
const statusLine = /^\*\*([^*]+)\*\*(?:, because (.+)|: (.+))?$/;
const referenceLine = /^- `([^`]+)`: `(.+)`$/;

function readEntries(markdown: string): readonly Entry[] {
  return markdown.split(/^(?=#{1,3} )/m).flatMap((text) => {
    const number = heading.exec(text.split('\n', 1)[0] as string)?.[1];
    if (number === undefined) return [];
    const found = text
      .split('\n')
      .flatMap((line) => statusLine.exec(line) ?? [])
      .slice(0, 4);
    const status = statuses.find((one) => one === found[1]);
    const references = text.split('\n').flatMap((line) => {
      const [, path, title] = referenceLine.exec(line) ?? [];
      return path !== undefined && title !== undefined ? [{ path, title }] : [];
    });
    return [{ number: Number(number), status, reason: found[2] ?? found[3] ?? '', references, text }];
  });
}

function shapeFaults({ number, status, reason, references, text }: Entry): readonly string[] {
  const fault = (why: string) => [`F${number} ${why}`];
  const lines = text.split('\n');
  const once = (beginning: string) => lines.filter((line) => line.startsWith(beginning)).length === 1;
  return [
    ...(once('*Elsewhere.* ') && once('*Here.* ') ? [] : fault('does not tell, once each, what happens elsewhere and here')),
    ...(status !== undefined && once('**') ? [] : fault(`does not say, once, which it is: ${statuses.join(', ')}`)),
    ...(status === 'Covered' && reason !== '' ? fault('is covered, with a reservation') : []),
    ...(status !== undefined && status !== 'Covered' && reason === '' ? fault('does not say what is missing') : []),
    ...(status === 'Not covered' && references.length > 0 ? fault('is not covered, and names tests') : []),
    ...(status !== 'Not covered' && references.length === 0 ? fault('names no test') : []),
    ...(lines.filter((line) => line.startsWith('- ')).length === references.length ? [] : fault('has an item that names no test')),
  ];
}

function summaryFaults(markdown: string, entries: readonly Entry[]): readonly string[] {
  return statuses.flatMap((status) => {
    const numbers = entries.filter((entry) => entry.status === status).map(({ number }) => `F${number}`);
    const row = `| ${status} | ${numbers.length} | ${numbers.join(', ')} |`;
    return markdown.split('\n').filter((line) => line === row).length === 1 ? [] : [`the summary has no row ${row}`];
  });
}

function numbersIn(title: string): readonly number[] {
  return [...title.matchAll(/\bF(\d{1,3})\b/g)].map(([, number]) => Number(number));
}

import { markPattern, markStrings } from './source-text.js';

/** A title as it is written in a test file, of a test or of a group of tests. */
export interface TestTitle {
  readonly title: string;
  /** The titles of the groups that it stands in. */
  readonly groups: readonly string[];
}

interface TitledCall {
  readonly title: string;
  readonly begin: number;
  readonly end: number;
}

/** Finds every `describe`, `test` and `it` that has its title written out, behind `.skipIf(…)`, `.each(…)` and their like too. */
export function readTestTitles(text: string): readonly TestTitle[] {
  const { bare, strings } = markStrings(text);
  const calls: TitledCall[] = [];
  for (const { 0: word, index } of bare.matchAll(/(?<![.\w$])(?:describe|test|it)(?![\w$])/g)) {
    const call = readCall(bare, strings, index + word.length);
    if (call) calls.push(call);
  }
  return calls.map(({ title, begin, end }) => ({
    title,
    groups: calls.filter((other) => other.begin < begin && end < other.end).map((other) => other.title),
  }));
}

function readCall(code: string, strings: readonly string[], from: number): TitledCall | undefined {
  for (let at = from; ; ) {
    const [link] = /^\s*\.\s*\w+/.exec(code.slice(at)) ?? [];
    if (link !== undefined) {
      at += link.length;
      continue;
    }
    if (code[at] !== '(') return undefined;
    const end = closingParenthesis(code, at);
    const title = readTitle(code.slice(at + 1, end), strings);
    if (title !== undefined) return { title, begin: at, end };
    at = end + 1;
  }
}

/** `undefined` where the first argument is no string. */
function readTitle(args: string, strings: readonly string[]): string | undefined {
  const mark = new RegExp(`^\\s*${markPattern}`);
  let title = '';
  for (let at = 0; ; ) {
    const found = mark.exec(args.slice(at));
    if (!found) return undefined;
    title += strings[Number(found[1])];
    at += found[0].length;
    if (args[at] === ',') return title;
    if (args[at] !== '(') return undefined;
    const end = closingParenthesis(args, at);
    const inner = args.slice(at + 1, end).replace(new RegExp(markPattern, 'g'), (_, index) => `'${strings[Number(index)]}'`);
    title += `\${${inner}}`;
    at = end + 1;
  }
}

function closingParenthesis(code: string, opening: number): number {
  let depth = 0;
  for (let at = opening; at < code.length; at++) {
    if (code[at] === '(') depth++;
    if (code[at] === ')' && --depth === 0) return at;
  }
  return code.length;
}

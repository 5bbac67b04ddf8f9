/** A source file with its comments and the text of its strings taken out, so that what is left is code. */
export interface SourceText {
  /** Strings are empty in it; what stands in `${…}` is code and stays. */
  readonly code: string;
  /** What is imported, statically or not, as a value or as a type. */
  readonly imports: readonly ImportedModule[];
}

export interface ImportedModule {
  /** `undefined` where it is computed. */
  readonly specifier: string | undefined;
  readonly isDynamic: boolean;
}

/** Stands for the string with this number, in code from which all strings are taken. */
const mark = (index: number) => `'\u0001${index}\u0001'`;
const marked = "'\\u0001(\\d+)\\u0001'";

/** Code in which a mark stands for each string. A template is a row of marks and, in parentheses, what stands in its `${…}`. */
export interface MarkedSource {
  readonly bare: string;
  readonly strings: readonly string[];
}

/** Matches a mark, and finds its string's number. */
export const markPattern = marked;

/** Takes comments and the text of strings out of TypeScript. There is no parser to lend: TypeScript 7 has no API. */
export function markStrings(text: string): MarkedSource {
  const strings: string[] = [];
  return { bare: withoutStrings(text, strings), strings };
}

/** Reads TypeScript just well enough to find its imports and globals. */
export function readSource(text: string): SourceText {
  const { bare, strings } = markStrings(text);
  const imports: ImportedModule[] = [];
  const add = (pattern: RegExp, isDynamic: boolean) => {
    for (const [, index] of bare.matchAll(pattern))
      imports.push({ specifier: index === undefined ? undefined : strings[Number(index)], isDynamic });
  };
  add(new RegExp(`\\b(?:import|export)\\b[^;'()]*?\\bfrom\\s*${marked}`, 'g'), false);
  add(new RegExp(`\\bimport\\s*${marked}`, 'g'), false);
  add(new RegExp(`\\b(?:import|require)\\s*\\(\\s*(?:${marked})?`, 'g'), true);
  return { code: bare.replace(new RegExp(marked, 'g'), "''"), imports };
}

function withoutStrings(text: string, strings: string[]): string {
  let code = '';
  /** Open braces since each `${`, the innermost last. */
  const templates: number[] = [];
  let at = 0;
  const keep = (string: string) => {
    code += mark(strings.length);
    strings.push(string);
  };
  const skipTemplate = () => {
    const start = at;
    while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) at += text[at] === '\\' ? 2 : 1;
    keep(text.slice(start, at));
    if (text[at] === '`') at += 1;
    else {
      at += 2;
      code += '(';
      templates.push(0);
    }
  };
  while (at < text.length) {
    const char = text[at] as string;
    if (text.startsWith('//', at)) at = endOf(text, '\n', at);
    else if (text.startsWith('/*', at)) at = endOf(text, '*/', at + 2) + 2;
    else if (char === "'" || char === '"') {
      const end = closing(text, char, at + 1);
      keep(text.slice(at + 1, end));
      at = end + 1;
    } else if (char === '`') {
      at += 1;
      skipTemplate();
    } else if (char === '}' && templates.at(-1) === 0) {
      templates.pop();
      at += 1;
      code += ')';
      skipTemplate();
    } else if (char === '/' && beginsPattern(code)) {
      at = patternEnd(text, at + 1);
      keep('');
    } else {
      const depth = templates.length - 1;
      if (depth >= 0 && char === '{') templates[depth] = (templates[depth] ?? 0) + 1;
      if (depth >= 0 && char === '}') templates[depth] = (templates[depth] ?? 0) - 1;
      code += char;
      at += 1;
    }
  }
  return code;
}

function endOf(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from);
  return found < 0 ? text.length : found;
}

function closing(text: string, quote: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** A slash is a division behind a value, and begins a regular expression elsewhere. */
function beginsPattern(before: string): boolean {
  return /(?:^|[=(,:;[!&|?{}+\-*%<>~^]|\b(?:return|typeof|case|in|of|void))\s*$/.test(before);
}

function patternEnd(text: string, from: number): number {
  let at = from;
  for (let isClass = false; at < text.length && (isClass || text[at] !== '/'); at += text[at] === '\\' ? 2 : 1) {
    if (text[at] === '[') isClass = true;
    if (text[at] === ']') isClass = false;
  }
  return at + 1;
}

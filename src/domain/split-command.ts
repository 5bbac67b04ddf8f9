/** Words, or a sentence that says why it takes a shell to read them. */
export type SplitCommand = readonly string[] | string;

export interface SplitOptions {
  /** No shell was ever meant: what only a shell gives a meaning is text like any other. */
  readonly literal?: boolean;
}

/** Unquoted, these mean something to a shell, and not always the same to every one. */
const shellOnly: Readonly<Record<string, string>> = {
  '|': 'a pipe',
  '&': 'a background job or &&',
  ';': 'a second command',
  '<': 'a redirection',
  '>': 'a redirection',
  '(': 'a subshell',
  ')': 'a subshell',
  '*': 'a pattern of file names',
  '?': 'a pattern of file names',
  '[': 'a pattern of file names',
  '\n': 'a second command',
};
const expansions: Readonly<Record<string, string>> = { $: 'a variable', '`': 'a command of its own' };

/** What begins a command for a shell alone, and is no program. */
const shellWords = new Set(
  (
    '! { } . if then else elif fi for while until do done case esac function select time ' +
    'cd exec eval export readonly source set shift trap ulimit umask unset alias'
  ).split(' '),
);

/**
 * Splits a line into words as `sh` does, without one: blanks, quotes, backslashes. What only a shell could mean is refused
 * rather than passed on as text, since whoever wrote it meant something else.
 */
export function splitCommand(text: string, { literal = false }: SplitOptions = {}): SplitCommand {
  if (text.includes('\0')) return 'it holds a zero byte, which no argument can';
  const reader = new WordReader(text, literal);
  const problem = reader.read();
  if (problem !== undefined) return problem;
  const [first, ...rest] = reader.words;
  if (first === undefined || first.text === '') return 'it names no program';
  if (!literal && first.plain && shellWords.has(first.text)) return needsShell(first.text, 'a word of the shell');
  if (!literal && first.assigns) return `${first.text.split('=', 1)[0]}=… before a command is for a shell: name the variable under env`;
  return [first.text, ...rest.map((word) => word.text)];
}

function needsShell(what: string, why: string): string {
  const shown = what === '\n' ? 'a line break' : what;
  return `${shown} is ${why}, which takes a shell: write [sh, -c, "…"], or quote it if it is meant as it is`;
}

interface Word {
  readonly text: string;
  /** Nothing of it was quoted. */
  readonly plain: boolean;
  /** It would set a variable, if it stood first. */
  readonly assigns: boolean;
}

class WordReader {
  readonly words: Word[] = [];
  private at = 0;
  private word = '';
  private inWord = false;
  private quotedFrom: number | undefined;

  constructor(
    private readonly source: string,
    private readonly literal: boolean,
  ) {}

  /** What is wrong, if anything is. */
  read(): string | undefined {
    while (this.at < this.source.length) {
      const problem = this.step(this.source[this.at] as string);
      if (problem !== undefined) return problem;
    }
    this.endWord();
    return undefined;
  }

  private step(char: string): string | undefined {
    switch (char) {
      case ' ':
      case '\t':
        this.at++;
        this.endWord();
        return undefined;
      case "'":
        return this.readSingleQuoted();
      case '"':
        return this.readDoubleQuoted();
      case '\\':
        return this.readEscaped();
      default:
        return this.readPlain(char);
    }
  }

  private readPlain(char: string): string | undefined {
    if (char === '\n' && (this.literal || this.isOutermost())) {
      this.at++;
      this.endWord();
      return undefined;
    }
    if (this.literal) return this.take(char);
    const why = shellOnly[char] ?? expansions[char] ?? this.meaningHere(char);
    return why === undefined ? this.take(char) : needsShell(char, why);
  }

  /** Before the first word or after the last, where a line break parts nothing. */
  private isOutermost(): boolean {
    return (this.words.length === 0 && !this.inWord) || /^[ \t\n]*$/.test(this.source.slice(this.at));
  }

  /** What a character means by where it stands. */
  private meaningHere(char: string): string | undefined {
    if (char === '#' && !this.inWord) return 'a comment';
    if (char === '~' && (!this.inWord || /[=:]$/.test(this.word))) return 'a home folder';
    // {} alone is a word of find's; {a,b} is two words to some shells and one to others.
    if (char === '{' && (this.inWord || !/^\{\}(\s|$)/.test(this.source.slice(this.at, this.at + 3)))) return 'a list of words';
    return undefined;
  }

  private readSingleQuoted(): string | undefined {
    const end = this.source.indexOf("'", this.at + 1);
    if (end < 0) return 'a single quote is never closed';
    this.beginQuoted();
    this.word += this.source.slice(this.at + 1, end);
    this.at = end + 1;
    return undefined;
  }

  private readDoubleQuoted(): string | undefined {
    this.beginQuoted();
    for (this.at++; this.at < this.source.length; ) {
      const char = this.source[this.at] as string;
      if (char === '"') {
        this.at++;
        return undefined;
      }
      if (char === '\\') this.takeEscapedInQuotes();
      else if (!this.literal && expansions[char]) return needsShell(char, expansions[char]);
      else this.take(char);
    }
    return 'a double quote is never closed';
  }

  /** In double quotes a backslash is one, except before what it can protect there. */
  private takeEscapedInQuotes(): void {
    const next = this.source[this.at + 1];
    if (next === undefined || !(this.literal ? '"\\' : '$`"\\\n').includes(next)) {
      this.take('\\');
      return;
    }
    this.at++;
    if (next === '\n') this.at++;
    else this.take(next);
  }

  private readEscaped(): string | undefined {
    const next = this.source[this.at + 1];
    if (next === undefined) return 'it ends in a backslash';
    this.at++;
    if (next === '\n' && !this.literal) {
      // One line goes on in the next.
      this.at++;
      return undefined;
    }
    this.beginQuoted();
    return this.take(next);
  }

  private beginQuoted(): void {
    this.inWord = true;
    this.quotedFrom ??= this.word.length;
  }

  private take(char: string): undefined {
    this.inWord = true;
    this.word += char;
    this.at++;
  }

  private endWord(): void {
    if (!this.inWord) return;
    const plainLength = this.quotedFrom ?? this.word.length;
    this.words.push({
      text: this.word,
      plain: this.quotedFrom === undefined,
      assigns: /^[A-Za-z_][A-Za-z0-9_]*=/.test(this.word.slice(0, plainLength)),
    });
    this.word = '';
    this.inWord = false;
    this.quotedFrom = undefined;
  }
}

export type CompletionShell = 'bash' | 'zsh' | 'fish';

export interface CompletionOption {
  /** All spellings, such as `-f` and `--follow`. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** What may stand as its value: these words, or a path. A word that ends in a colon goes on. */
  readonly values?: readonly string[] | 'file' | 'folder' | undefined;
  readonly takesValue: boolean;
}

export interface CompletionVerb {
  readonly name: string;
  readonly summary: string;
  readonly takesName: boolean;
  /** What stands before the names. */
  readonly words?: readonly string[] | undefined;
  readonly options: readonly CompletionOption[];
}

/** The one verb whose word after it is no daemon. */
export const shellsVerb = 'completion';
export const shells: readonly CompletionShell[] = ['bash', 'zsh', 'fish'];

export const helpFlags = [
  { flag: '--help', summary: 'show the help' },
  { flag: '--version', summary: 'show the version' },
];

export const takesDaemons = (verb: CompletionVerb) => verb.takesName && verb.name !== shellsVerb;

/** Options that may stand before the verb too, since every verb has them. */
export function commonOptions(verbs: readonly CompletionVerb[]): readonly CompletionOption[] {
  const [first, ...others] = verbs;
  const has = (verb: CompletionVerb, flag: string) => verb.options.some(({ flags }) => flags.includes(flag));
  return (first?.options ?? []).filter(({ flags }) => others.every((verb) => flags.every((flag) => has(verb, flag))));
}

/** In single quotes, which bash, zsh and POSIX shells read alike. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function lines(parts: readonly string[], indent: string): string {
  return parts.map((part) => `${indent}${part}\n`).join('');
}

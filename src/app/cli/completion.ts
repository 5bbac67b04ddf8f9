export interface CompletionVerb {
  readonly name: string;
  readonly summary: string;
  readonly takesName: boolean;
  readonly options: readonly {
    readonly flags: readonly string[];
    readonly summary: string;
    readonly values?: readonly string[] | 'file' | 'folder' | undefined;
    readonly takesValue: boolean;
  }[];
}

export function completionScript(_shell: 'bash' | 'zsh' | 'fish', _verbs: readonly CompletionVerb[]): string {
  return '';
}

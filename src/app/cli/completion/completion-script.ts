import { bashScript } from './bash-script.js';
import type { CompletionShell, CompletionVerb } from './completion-verb.js';
import { fishScript } from './fish-script.js';
import { zshScript } from './zsh-script.js';

/**
 * A script that completes verbs, options, their values and the names of daemons, and after `--` a command with its
 * own arguments. The names come from `daemonry completion --names`; where that fails, there are none.
 */
export function completionScript(shell: CompletionShell, verbs: readonly CompletionVerb[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(verbs);
    case 'zsh':
      return zshScript(verbs);
    case 'fish':
      return fishScript(verbs);
  }
}

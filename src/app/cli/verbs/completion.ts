import { shown } from '../../../domain/shown.js';
import type { Answer } from '../answer.js';
import { completionScript } from '../completion/completion-script.js';
import { type CompletionVerb, shellsVerb } from '../completion/completion-verb.js';
import { type Invocation, UsageError } from '../invocation.js';
import { verbTable } from '../verb-table.js';
import type { VerbContext } from './context.js';

const shells = ['bash', 'zsh', 'fish'] as const;

export async function completion(invocation: Invocation, { machine }: VerbContext): Promise<Answer> {
  if (invocation.has('--names')) {
    const names = await machine.descriptors.names();
    return { json: { names }, lines: names, exitCode: 0 };
  }
  const shell = shells.find((one) => one === invocation.names[0]);
  if (!shell) {
    const given = invocation.names[0];
    throw new UsageError(
      given === undefined ? 'completion needs the name of a shell' : `unknown shell ${shown(given)}`,
      `shells are ${shells.join(', ')}`,
    );
  }
  const script = completionScript(shell, verbTable.map(completionVerb));
  return { json: { shell, script }, lines: [script.trimEnd()], exitCode: 0 };
}

function completionVerb({ verb, summary, names, nameLabel, words, options }: (typeof verbTable)[number]): CompletionVerb {
  return {
    name: verb,
    summary,
    // One with a label is none of a daemon, but for the shell's, which the scripts know.
    takesName: names !== 'none' && (nameLabel === undefined || words !== undefined || verb === shellsVerb),
    words,
    options: options.map(({ flag, short, kind, summary: about, values }) => ({
      flags: short ? [short, flag] : [flag],
      summary: about,
      values,
      takesValue: kind !== 'flag',
    })),
  };
}

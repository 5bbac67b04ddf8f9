import { checkedName } from '../../../domain/daemon-name.js';
import { startByPolicy } from '../../../domain/delegate.js';
import { shown } from '../../../domain/shown.js';
import { type Answer, shownStart, startAnswer } from '../answer.js';
import { type Invocation, UsageError } from '../invocation.js';
import { withProgress } from '../progress.js';
import { specOf } from '../spec-options.js';
import type { VerbContext } from './context.js';
import { severally } from './several.js';

export async function start(invocation: Invocation, { machine, cwd }: VerbContext): Promise<Answer> {
  const names = invocation.names.map(checkedName);
  const spec = specOf(invocation, cwd);
  const startOne = (name: string) =>
    withProgress(`starting ${name}`, invocation.json, () =>
      startByPolicy(machine, { ref: { name }, spec, force: invocation.has('--force') }),
    );
  if (names.length === 1) return startAnswer(shownStart(await startOne(names[0] as string)), 'started');
  // More often than several names, these are one, and a command without its dashes.
  for (const name of names) if (spec || !(await machine.descriptors.readSpec({ name }))) throw surplusNames(invocation.names);
  return severally(names, startOne, (result) => startAnswer(shownStart(result), 'started'));
}

function surplusNames([, ...others]: readonly string[]): UsageError {
  const surplus = others.map((name) => shown(name)).join(' ');
  return new UsageError(`start takes one name, not also ${surplus}, unless all of them are remembered`, 'a command stands after --');
}

import { checkedFolderName } from '../../../domain/daemon-name.js';
import { stopDaemon } from '../../../domain/stop-daemon.js';
import { type Answer, stopAnswer, stopJson, stopLine } from '../answer.js';
import { describeFailure, type Failure } from '../failure.js';
import { type Invocation, UsageError } from '../invocation.js';
import { withProgress } from '../progress.js';
import type { VerbContext } from './context.js';

export async function stop(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const all = invocation.has('--all');
  if (all === invocation.names.length > 0) {
    if (all) throw new UsageError('stop takes names or --all, not both');
    throw new UsageError('stop needs the name of a daemon', 'or --all for every one of them');
  }
  // All are checked before the first is stopped.
  const graceMs = invocation.durationMs('--grace');
  const names = all ? await context.machine.descriptors.names() : invocation.names.map(checkedFolderName);
  const stopOne = (name: string) =>
    withProgress(`stopping ${name}`, invocation.json, () => stopDaemon(context.machine, { ref: { name }, graceMs }));
  if (!all && names.length === 1) {
    return stopAnswer(await stopOne(names[0] as string));
  }
  return stopSeveral(names, stopOne);
}

async function stopSeveral(names: readonly string[], stopOne: (name: string) => ReturnType<typeof stopDaemon>): Promise<Answer> {
  const outcomes = await Promise.all(
    names.map((name) =>
      stopOne(name).then(
        (result) => ({ result, failure: undefined, name }),
        (error) => ({ result: undefined, failure: describeFailure(error), name }),
      ),
    ),
  );
  const failures = outcomes.flatMap(({ failure }) => failure ?? []);
  return {
    json: {
      results: outcomes.map(({ name, result, failure }) => (result ? stopJson(result) : { name, error: failureJson(failure as Failure) })),
    },
    lines: outcomes.length === 0 ? ['no daemons here'] : outcomes.flatMap(({ result }) => (result ? [stopLine(result)] : [])),
    warnings: failures.map(({ message, hint }) => (hint ? `${message}; ${hint}` : message)),
    exitCode: Math.max(0, ...failures.map(({ exitCode }) => exitCode)),
  };
}

function failureJson({ code, message, hint, facts }: Failure): Record<string, unknown> {
  return { ...facts, code, message, hint };
}

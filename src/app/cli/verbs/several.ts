import type { Answer } from '../answer.js';
import { describeFailure, type Failure } from '../failure.js';

/** Does the same to several daemons at once. What fails for one is told in its entry, and keeps no other from being done; the exit code is the worst. */
export async function severally<T>(
  names: readonly string[],
  doOne: (name: string) => Promise<T>,
  tell: (result: T) => Pick<Answer, 'json' | 'lines' | 'warnings'>,
): Promise<Answer> {
  const outcomes = await Promise.all(
    names.map((name) =>
      doOne(name).then(
        (result) => ({ name, told: tell(result), failure: undefined }),
        (error) => ({ name, told: undefined, failure: describeFailure(error) }),
      ),
    ),
  );
  const failures = outcomes.flatMap(({ failure }) => failure ?? []);
  return {
    json: { results: outcomes.map(({ name, told, failure }) => (failure ? { name, error: failureJson(failure) } : told?.json)) },
    lines: outcomes.flatMap(({ told }) => told?.lines ?? []),
    warnings: [
      ...outcomes.flatMap(({ told }) => told?.warnings ?? []),
      ...failures.map(({ message, hint }) => (hint ? `${message}; ${hint}` : message)),
    ],
    exitCode: Math.max(0, ...failures.map(({ exitCode }) => exitCode)),
  };
}

function failureJson({ code, message, hint, facts }: Failure): Record<string, unknown> {
  return { ...facts, code, message, hint };
}

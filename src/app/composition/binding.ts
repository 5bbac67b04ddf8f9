import type { Token } from './tokens.js';

/** One line of the composition: what is made, of what. */
export interface Binding {
  readonly token: Token<unknown>;
  readonly needs: readonly Token<unknown>[];
  readonly make: (...needed: never[]) => unknown;
}

type Made<Needs extends readonly Token<unknown>[]> = { [Index in keyof Needs]: Needs[Index] extends Token<infer T> ? T : never };

/** Compiles only where the parts fit. */
export function bind<T, const Needs extends readonly Token<unknown>[]>(
  token: Token<T>,
  needs: Needs,
  make: (...needed: Made<Needs>) => T,
): Binding {
  return { token: token as Token<unknown>, needs, make: make as Binding['make'] };
}

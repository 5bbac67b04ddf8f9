import { DaemonError } from './daemon-error.js';
import { longestDurationMs } from './quantity.js';
import { shown } from './shown.js';

const longestFact = 10_000;

/** Says what an option may be, where it has been given something else. */
export type Check = (value: unknown) => string | undefined;

/** A check for each option there is: a missing one does not compile. */
export type Checks<Options> = { readonly [Option in keyof Required<Options>]: Check };

/** Throws `invalid-spec` for options that are none, or for the first one that is wrong. */
export function checkOptions(options: unknown, checks: Readonly<Record<string, Check>>, within = ''): void {
  if (!isObject(options)) throw invalidOption(within || 'options', options, 'it is an object');
  for (const option in checks) {
    const value = options[option];
    const allowed = checks[option]?.(value);
    if (allowed !== undefined) throw invalidOption(within ? `${within}.${option}` : option, value, allowed);
  }
}

export function invalidOption(option: string, value: unknown, allowed: string): DaemonError {
  return new DaemonError('invalid-spec', `invalid ${option} ${shown(value)}: ${allowed}`, { option, value: fact(value), allowed });
}

/** Of a value that may be secret, such as an argument: the message and the facts have what it is, and not what it says. */
export function invalidSecret(option: string, value: unknown, allowed: string, position?: number): DaemonError {
  const kind = kindOf(value);
  const which = position === undefined ? option : `${option}[${position}]`;
  return new DaemonError('invalid-spec', `invalid ${which}, ${kind}: ${allowed}`, { option, position, value: kind, allowed });
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return isText(value) ? 'a string' : 'a string with a zero byte';
  return isList(value) ? 'a list' : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

/** Facts are written as JSON: what JSON can't take, or what is very long, is told as the message names it. */
export function fact(value: unknown): unknown {
  try {
    // Left out of JSON are undefined, a function and a symbol, which harm nothing.
    return (JSON.stringify(value) ?? '').length <= longestFact ? value : shown(value);
  } catch {
    return shown(value);
  }
}

type IsGood = (value: unknown) => boolean;

export function required(isGood: IsGood, allowed: string): Check {
  return (value) => (isGood(value) ? undefined : allowed);
}

export function optional(isGood: IsGood, allowed: string): Check {
  return required((value) => value === undefined || isGood(value), allowed);
}

export function milliseconds(least = 0): Check {
  const isGood = (value: unknown) =>
    Number.isFinite(value) && Math.round(value as number) >= least && (value as number) <= longestDurationMs;
  return optional(isGood, `it is a number of milliseconds from ${least} to ${longestDurationMs}`);
}

export function whole(least: number, most = Number.MAX_SAFE_INTEGER): Check {
  const isGood = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  return optional(isGood, `it is a whole number from ${least} ${most === Number.MAX_SAFE_INTEGER ? 'on' : `to ${most}`}`);
}

export function oneOf(words: readonly string[]): Check {
  return optional((value) => words.includes(value as string), `it is ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`);
}

/** The system takes no text with a zero byte in it, be it an argument, a variable or a path. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0');
}

export function isSomeText(value: unknown): value is string {
  return isText(value) && value !== '';
}

export function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && isList(value) === false;
}

/** `undefined` of a proxy that was revoked, of which nothing can be told. */
function isList(value: unknown): boolean | undefined {
  try {
    return Array.isArray(value);
  } catch {
    return undefined;
  }
}

/** A list with holes holds what is not there. */
export function isListOf(isGood: IsGood): IsGood {
  return (value) => isList(value) === true && Array.from(value as readonly unknown[]).every((item) => isGood(item));
}

export const isAnyList = isListOf(() => true);

export const path = optional(isSomeText, 'it is a path');
export const flag = optional((value) => typeof value === 'boolean', 'it is true or false');
export const callback = optional(isFunction, 'it is a function');
export const abortSignal = optional(
  (value) => isObject(value) && typeof value.aborted === 'boolean' && isFunction(value.addEventListener),
  'it is an AbortSignal',
);

import { durationRule, parseDuration, parseSize, sizeRule } from '../../domain/quantity.js';
import { shown } from '../../domain/shown.js';

/** One use of the command line, taken apart but not yet understood. */
export interface ParsedArguments {
  readonly verb: string;
  readonly names: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** What stood after `--`. */
  readonly command: readonly string[] | undefined;
}

/** Wrong usage: exit 2, one line that names the value and what is allowed. */
export class UsageError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
  }
}

/** The same with its values understood. Each accessor throws `UsageError` for a value that can't be meant. */
export class Invocation {
  readonly json: boolean;

  constructor(private readonly parsed: ParsedArguments) {
    this.json = parsed.flags.has('--json');
  }

  get verb(): string {
    return this.parsed.verb;
  }

  get names(): readonly string[] {
    return this.parsed.names;
  }

  get command(): readonly string[] | undefined {
    return this.parsed.command;
  }

  /** The only name of verbs that take one. */
  get name(): string {
    return this.parsed.names[0] as string;
  }

  has(flag: string): boolean {
    return this.parsed.flags.has(flag);
  }

  /** Every option that was given, for verbs that must refuse some in company. */
  get given(): readonly string[] {
    return [...this.parsed.flags, ...this.parsed.values.keys()];
  }

  all(flag: string): readonly string[] {
    const values = this.parsed.values.get(flag) ?? [];
    if (values.includes('')) throw new UsageError(`${flag} needs a value`);
    return values;
  }

  value(flag: string): string | undefined {
    return this.all(flag).at(-1);
  }

  durationMs(flag: string): number | undefined {
    return this.parse(flag, (text) => parseDuration(text), durationRule);
  }

  sizeBytes(flag: string): number | undefined {
    return this.parse(flag, parseSize, sizeRule);
  }

  count(flag: string, most: number): number | undefined {
    const parse = (text: string) => (/^\d{1,9}$/.test(text) && Number(text) <= most ? Number(text) : undefined);
    return this.parse(flag, parse, `it takes a whole number from 0 to ${most}`);
  }

  choice<T extends string>(flag: string, allowed: readonly T[]): T | undefined {
    return this.parse(flag, (text) => allowed.find((one) => one === text), `it takes ${allowed.join(' or ')}`);
  }

  /** Anything else, by a rule of the verb's own. */
  parse<T>(flag: string, parse: (text: string) => T | undefined, rule: string): T | undefined {
    const text = this.value(flag);
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined) throw new UsageError(`invalid ${flag} ${shown(text)}`, rule);
    return value;
  }
}

export function isUsageError(error: unknown): error is UsageError {
  return error instanceof Error && error.name === 'UsageError';
}

import { isObject } from './option-checks.js';

/** The versions of a program's own protocol that one side speaks, both ends included. Whole numbers from 0 on. */
export interface ProtocolRange {
  readonly min: number;
  readonly max: number;
}

export const protocolRangeRule = 'it is a whole number, or {min, max} of two, from 0 on';

/** A single version, or a range. `undefined` for what is neither. */
export function parseProtocolRange(value: unknown): ProtocolRange | undefined {
  const { min, max }: { min?: unknown; max?: unknown } =
    typeof value === 'number' ? { min: value, max: value } : isObject(value) ? value : {};
  return isVersion(min) && isVersion(max) && min <= max ? { min, max } : undefined;
}

/** The newest version that both speak; `undefined` where there is none. */
export function agreeOn(one: ProtocolRange, other: ProtocolRange): number | undefined {
  const newest = Math.min(one.max, other.max);
  return newest >= Math.max(one.min, other.min) ? newest : undefined;
}

export function formatProtocolRange({ min, max }: ProtocolRange): string {
  return min === max ? `${min}` : `${min} to ${max}`;
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

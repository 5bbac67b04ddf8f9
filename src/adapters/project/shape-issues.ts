import type * as z from 'zod/mini';
import { shown } from '../../domain/shown.js';
import type { FileIssue, LocatedValue, Path } from './located-yaml.js';

type Issue = z.core.$ZodIssue;

/** What the shape found, told in words and with places. */
export function locateIssues(issues: readonly Issue[], file: LocatedValue): readonly FileIssue[] {
  return issues.flatMap((issue) => locateIssue(issue, [], file));
}

function locateIssue(issue: Issue, at: Path, file: LocatedValue): readonly FileIssue[] {
  const path = [...at, ...(issue.path as Path)];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => file.keyIssue([...path, key], unknownKey(key, path, issue.message.split(', '))));
    case 'invalid_union':
      return locateUnion(issue, path, file);
    case 'invalid_key':
      return [file.keyIssue(path, `${shown(path.at(-1))} is no name: ${issue.issues[0]?.message ?? issue.message}`)];
    default:
      return [file.issue(path, wrongValue(path, file, issue.message))];
  }
}

/** Of the form that was meant, if one of them was; else what the forms are. */
function locateUnion(issue: z.core.$ZodIssueInvalidUnion, path: Path, file: LocatedValue): readonly FileIssue[] {
  const isOtherKind = (found: Issue) => found.path.length === 0 && (found.code === 'invalid_type' || found.code === 'invalid_value');
  const meant = issue.errors.find((branch) => branch.length > 0 && !branch.some(isOtherKind));
  if (!meant) return [file.issue(path, wrongValue(path, file, issue.message))];
  return meant.flatMap((found) => locateIssue(found, path, file));
}

function wrongValue(path: Path, file: LocatedValue, rule: string): string {
  const value = valueAt(file.value, path);
  if (path.length === 0)
    return value === null ? 'the file is empty: it takes a mapping with daemons' : `it is ${kindOrWord(value)}: ${rule}`;
  if (value === undefined) return `${nameOf(path.slice(0, -1))} has no ${path.at(-1)}: ${rule}`;
  return value === null
    ? `${nameOf(path)} is empty: ${rule}`
    : `${nameOf(path)} is ${shortSource(file.sourceOf(path)) ?? kindOrWord(value)}: ${rule}`;
}

function unknownKey(key: string, path: Path, allowed: readonly string[]): string {
  const near = nearest(key, allowed);
  const where = path.length === 0 ? '' : ` in ${nameOf(path)}`;
  const meant = near === undefined ? '' : ` (${near}?)`;
  return `unknown key ${shown(key)}${where}${meant}: allowed are ${allowed.join(', ')}`;
}

/** As people write it: `daemons.api.env_file[1]`. */
export function nameOf(path: Path): string {
  if (path.length === 0) return 'the file';
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${part}`)).join('');
}

/** As it stands there, where that is one short line. */
function shortSource(source: string | undefined): string | undefined {
  return source !== undefined && source.length <= 80 && !source.includes('\n') ? source : undefined;
}

/** What is no single word is told by its kind. */
function kindOrWord(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return shown(value);
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, step)?.value : undefined),
    root,
  );
}

const mostSlips = 2;

/** The one that a slip of the fingers makes of it. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, slips: slipsBetween(text.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, slips }) => slips <= Math.min(mostSlips, candidate.length / 2))
    .sort((a, b) => a.slips - b.slips);
  return ranked[0]?.candidate;
}

/** Letters put in, left out or changed: Levenshtein's distance. */
function slipsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > mostSlips) return mostSlips + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min((next[j] as number) + 1, (row[j + 1] as number) + 1, (row[j] as number) + (char === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] as number;
}

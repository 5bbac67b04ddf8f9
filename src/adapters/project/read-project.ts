import { basename, dirname } from 'node:path';
import * as z from 'zod/mini';
import { DaemonError } from '../../domain/daemon-error.js';
import { type DependencyCondition, isProjectName, type Project, type ProjectDaemon, projectNameRule } from '../../domain/project.js';
import { shown } from '../../domain/shown.js';
import { fitsSocketPath, longestSocketPathBytes } from '../files/home.js';
import { checkProject } from './check-project.js';
import { entryToSpec } from './entry-to-spec.js';
import { type FileIssue, isPlainMap, type LocatedValue, readYaml } from './located-yaml.js';
import { merge } from './merge-defaults.js';
import { type DaemonEntry, type ProjectFile, projectShape } from './project-shape.js';
import { findProjectFile, readTextFile } from './project-text.js';
import { locateIssues } from './shape-issues.js';

/** The project of a file, or of the nearest one from a folder upwards. Throws `not-found`, `not-permitted`, `invalid-project`. */
export function readProject(place: { readonly file: string } | { readonly from: string }): Project {
  const { path, text } = readTextFile('file' in place ? place.file : findProjectFile(place.from));
  return parseProject(text, path);
}

/** `file` is absolute. Throws `invalid-project` with all that is wrong, each with its place. */
export function parseProject(text: string, file: string): Project {
  const located = readYaml(text);
  const issues =
    located.value === undefined ? located.issues : [...located.issues, ...strictJson(text, file, located), ...checkAll(located, file)];
  if (issues.length > 0) throw invalidProject(file, issues);
  const entries = located.value as ProjectFile;
  const name = projectName(located.value, file);
  return { name, file, daemons: Object.keys(entries.daemons).map((key) => projectDaemon(located, entries, { file, name, key })) };
}

function checkAll(located: LocatedValue, file: string): readonly FileIssue[] {
  const shape = z.safeParse(projectShape, located.value);
  const ofShape = shape.success ? [] : locateIssues(shape.error.issues, located);
  const name = projectName(located.value, file);
  const isUnnamed = isPlainMap(located.value) && located.value.project === undefined && !isProjectName(name);
  return [
    ...ofShape,
    ...(isUnnamed
      ? [located.issue([], `the folder's name ${shown(name)} is no name for a project: write project: … here; ${projectNameRule}`)]
      : []),
    ...checkProject(located, name),
    // What the shape can't know: how long the folder is.
    ...(shape.success ? checkSockets(located, file) : []),
  ];
}

/** YAML takes nearly all JSON, and much that is none: comments, bare words, a comma too many. */
function strictJson(text: string, file: string, located: LocatedValue): readonly FileIssue[] {
  if (!file.endsWith('.json')) return [];
  try {
    JSON.parse(text);
    return [];
  } catch (error) {
    const [, message, position] = /^(.*?)(?: in JSON)?(?: at position (\d+).*)?$/s.exec((error as Error).message) ?? [];
    return [located.issueAt(Number(position ?? 0), `this is YAML, and no JSON: ${message?.split('\n', 1)[0]}`)];
  }
}

function checkSockets(located: LocatedValue, file: string): readonly FileIssue[] {
  const { daemons } = located.value as ProjectFile;
  return Object.entries(daemons).flatMap(([key, { socket }]) => {
    if (socket === undefined) return [];
    const { socket: path } = entryToSpec({ command: ['x'], socket }, file, dirname(file), () => '');
    if (path === null || fitsSocketPath(path, process.platform)) return [];
    return [
      located.issue(
        ['daemons', key, 'socket'],
        `${path} is too long: a socket path has at most ${longestSocketPathBytes(process.platform)} bytes`,
      ),
    ];
  });
}

function projectName(value: unknown, file: string): string {
  const given = isPlainMap(value) ? value.project : undefined;
  return typeof given === 'string' ? given : basename(dirname(file));
}

function projectDaemon(located: LocatedValue, entries: ProjectFile, of: { file: string; name: string; key: string }): ProjectDaemon {
  const { defaults = {}, daemons } = entries;
  const own = daemons[of.key] as DaemonEntry;
  const entry = merge(defaults, own) as DaemonEntry;
  const textOf = (variable: string) => {
    const isOwn = Object.hasOwn(own.env ?? {}, variable);
    const value = (isOwn ? own.env : defaults.env)?.[variable];
    if (typeof value === 'string') return value;
    // Of a number, its digits as they stand there: 3.10 is no 3.1.
    return located.sourceOf([...(isOwn ? ['daemons', of.key] : ['defaults']), 'env', variable]) ?? String(value);
  };
  return {
    key: of.key,
    name: `${of.name}.${of.key}`,
    spec: entryToSpec(entry, of.file, dirname(of.file), textOf),
    dependsOn: dependencies(entry.depends_on),
    groups: entry.groups ?? [],
  };
}

function dependencies(given: DaemonEntry['depends_on']): Readonly<Record<string, DependencyCondition>> {
  if (given === undefined) return {};
  return Array.isArray(given) ? Object.fromEntries(given.map((key) => [key, 'ready'])) : given;
}

/** Whoever has more reads no further. */
const mostIssues = 100;

function invalidProject(file: string, issues: readonly FileIssue[]): DaemonError {
  const sorted = [...issues].sort((a, b) => a.line - b.line || a.column - b.column);
  const isFirst = (one: FileIssue, index: number) =>
    index === 0 || tellIssue(file, one) !== tellIssue(file, sorted[index - 1] as FileIssue);
  const errors = sorted.filter(isFirst).slice(0, mostIssues);
  const [first] = errors;
  const message =
    errors.length === 1 && first
      ? tellIssue(file, first)
      : `${file} has ${errors.length === mostIssues ? `${mostIssues} errors or more` : `${errors.length} errors`}`;
  return new DaemonError('invalid-project', message, { file, errors });
}

/** As compilers do, so that editors can follow it. */
export function tellIssue(file: string, { line, column, message }: FileIssue): string {
  return `${file}:${line}:${column}: ${message}`;
}

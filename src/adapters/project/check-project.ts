import { checkedName, nameRule } from '../../domain/daemon-name.js';
import { findCycles } from '../../domain/dependency-graph.js';
import { isDaemonKey, isProjectName } from '../../domain/project.js';
import { parseDuration } from '../../domain/quantity.js';
import { restartDelays } from '../../domain/restart-policy.js';
import { shown } from '../../domain/shown.js';
import { type FileIssue, isPlainMap, type LocatedValue, type Path } from './located-yaml.js';
import { merge } from './merge-defaults.js';
import { nearest } from './shape-issues.js';

/** Far more than one machine runs, and few enough for every check to be quick. */
const mostDaemons = 1_000;

/** What no key can be asked alone: names, and what daemons say of each other. Takes anything, so that all errors are told at once. */
export function checkProject(file: LocatedValue, projectName: string): readonly FileIssue[] {
  const root = isPlainMap(file.value) ? file.value : {};
  const daemons = isPlainMap(root.daemons) ? root.daemons : {};
  const keys = Object.keys(daemons);
  if (keys.length > mostDaemons) return [file.keyIssue(['daemons'], `daemons has ${keys.length} of them, and ${mostDaemons} at the most`)];
  const dependencies = keys.flatMap((key) => dependenciesOf(daemons, key));
  const waitedFor = (wanted: string) => new Set(dependencies.flatMap(({ key, condition }) => (condition === wanted ? key : [])));
  const watched = waitedFor('healthy');
  const ending = waitedFor('exited');
  const contradictions = dependencies.filter(({ key, condition }) => condition === 'healthy' && ending.has(key));
  return [
    ...checkNames(file, keys, projectName),
    ...keys.flatMap((key) => checkDependencies(file, daemons, key)),
    ...checkCycles(file, daemons),
    ...contradictions.map(({ key, path }) => file.issue(path, `others wait for the end of ${key}: what has ended is not healthy`)),
    ...keys.flatMap((key) => checkSense(file, root, key, watched.has(key))),
  ];
}

function checkNames(file: LocatedValue, keys: readonly string[], projectName: string): readonly FileIssue[] {
  const seen = new Map<string, string>();
  return keys.flatMap((key) => {
    const twin = seen.get(key.toLowerCase());
    seen.set(key.toLowerCase(), key);
    if (twin !== undefined) return [file.keyIssue(['daemons', key], `${key} is ${twin} again: names are compared without case`)];
    if (!isDaemonKey(key) || !isProjectName(projectName)) return [];
    const name = `${projectName}.${key}`;
    return isName(name) ? [] : [file.keyIssue(['daemons', key], `${name} can't be the name of a daemon: ${nameRule}`)];
  });
}

function isName(name: string): boolean {
  try {
    checkedName(name);
    return true;
  } catch {
    return false;
  }
}

interface Dependency {
  readonly key: string;
  readonly condition: unknown;
  readonly path: Path;
}

function dependenciesOf(daemons: Record<string, unknown>, key: string): readonly Dependency[] {
  const daemon = daemons[key];
  const given = isPlainMap(daemon) ? daemon.depends_on : undefined;
  const path = ['daemons', key, 'depends_on'];
  if (isPlainMap(given)) return Object.entries(given).map(([one, condition]) => ({ key: one, condition, path: [...path, one] }));
  if (!Array.isArray(given)) return [];
  return given.flatMap((one, index) => (typeof one === 'string' ? { key: one, condition: 'ready', path: [...path, index] } : []));
}

function checkDependencies(file: LocatedValue, daemons: Record<string, unknown>, key: string): readonly FileIssue[] {
  const seen = new Set<string>();
  return dependenciesOf(daemons, key).flatMap(({ key: need, condition, path }) => {
    if (seen.has(need)) return [file.keyIssue(path, `${key} names ${need} twice`)];
    seen.add(need);
    if (!Object.hasOwn(daemons, need)) return [file.keyIssue(path, noSuchDaemon(key, need, Object.keys(daemons)))];
    return checkCondition(file, need, condition, path);
  });
}

function noSuchDaemon(key: string, need: string, keys: readonly string[]): string {
  const near = nearest(need, keys);
  return `${key} depends on ${shown(need)}, which is not in this file${near === undefined ? '' : ` (${near}?)`}`;
}

function checkCondition(file: LocatedValue, need: string, condition: unknown, path: Path): readonly FileIssue[] {
  const entry = merged(file.value, need);
  if (condition === 'healthy' && entry.health === undefined)
    return [file.issue(path, `${need} has no health, which tells when it is healthy`)];
  if (condition === 'exited' && policyOf(entry) === 'always') {
    return [file.issue(path, `${need} never exits for good: its restart is always; allowed are never, on-failure`)];
  }
  return [];
}

function checkCycles(file: LocatedValue, daemons: Record<string, unknown>): readonly FileIssue[] {
  const known = (key: string) => Object.hasOwn(daemons, key);
  const graph = new Map(
    Object.keys(daemons).map((key) => [
      key,
      dependenciesOf(daemons, key)
        .map((one) => one.key)
        .filter(known),
    ]),
  );
  return findCycles(graph).map((cycle) => {
    const path = ['daemons', cycle[0] as string, 'depends_on'];
    return file.keyIssue(path, `depends_on goes in a circle: ${cycle.join(' -> ')}`);
  });
}

/** What would be read and mean nothing. */
function checkSense(file: LocatedValue, root: Record<string, unknown>, key: string, isHealthAsked: boolean): readonly FileIssue[] {
  const entry = merged(root, key);
  const policy = policyOf(entry);
  const at = (part: string): Path => ['daemons', key, part];
  const issues: FileIssue[] = [];
  if (isPlainMap(entry.restart) && policy === undefined) {
    issues.push(file.keyIssue(at('restart'), `the restart of ${key} has no policy: it takes never, on-failure, always`));
  }
  issues.push(...checkDelays(file, root, key, entry.restart));
  if (isPlainMap(entry.health)) {
    if (entry.health.probe === undefined) issues.push(file.keyIssue(at('health'), `the health of ${key} has no probe`));
    const isWatched = policy === 'on-failure' || policy === 'always';
    const isOwn = isPlainMap(root.daemons) && isPlainMap(root.daemons[key]) && root.daemons[key].health !== undefined;
    if (isOwn && !isWatched && !isHealthAsked) {
      issues.push(file.keyIssue(at('health'), `nobody asks for the health of ${key}: that takes restart on-failure or always`));
    }
  }
  return issues;
}

/** Said of the mapping that has the one or the other; of the defaults once. */
function checkDelays(file: LocatedValue, root: Record<string, unknown>, key: string, restart: unknown): readonly FileIssue[] {
  if (!isPlainMap(restart)) return [];
  const [delay, most] = [restart.delay, restart.max_delay].map((text) => (typeof text === 'string' ? parseDuration(text) : undefined));
  if (restartDelays(delay, most)) return [];
  const message = `max_delay ${restart.max_delay} is below delay ${restart.delay}: the delays grow from the one up to the other`;
  const own = isPlainMap(root.daemons) && isPlainMap(root.daemons[key]) ? root.daemons[key].restart : undefined;
  const part = isPlainMap(own) && ['max_delay', 'delay'].find((one) => own[one] !== undefined);
  return [file.issue(part ? ['daemons', key, 'restart', part] : ['defaults', 'restart', 'max_delay'], message)];
}

function policyOf(entry: Record<string, unknown>): unknown {
  if (entry.restart === undefined) return 'never';
  return isPlainMap(entry.restart) ? entry.restart.policy : entry.restart;
}

function merged(root: unknown, key: string): Record<string, unknown> {
  if (!isPlainMap(root)) return {};
  const own = isPlainMap(root.daemons) ? root.daemons[key] : undefined;
  return merge(isPlainMap(root.defaults) ? root.defaults : {}, isPlainMap(own) ? own : {});
}

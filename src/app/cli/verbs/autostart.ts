import { resolve } from 'node:path';
import type { ServiceRecord } from '../../../adapters/autostart/service-files.js';
import { checkedName } from '../../../domain/daemon-name.js';
import { shown } from '../../../domain/shown.js';
import { type AutostartStatus, autostartStatus } from '../../autostart/autostart-status.js';
import { type Disabled, disableAutostart, disableProject } from '../../autostart/disable-autostart.js';
import { type Enabled, enableAutostart } from '../../autostart/enable-autostart.js';
import { findDaemonTarget } from '../../autostart/find-daemon-target.js';
import { projectTarget } from '../../autostart/service-target.js';
import { autostartContext } from '../../composition/autostart.js';
import type { Answer } from '../answer.js';
import { describeFailure, type Failure } from '../failure.js';
import { type Invocation, UsageError } from '../invocation.js';
import { withProgress } from '../progress.js';
import { projectOf } from '../project/project-context.js';
import { table } from '../table.js';
import type { VerbContext } from './context.js';

const actions = ['enable', 'disable', 'status'] as const;
type Action = (typeof actions)[number];

export async function autostart(invocation: Invocation, context: VerbContext): Promise<Answer> {
  const [word, ...names] = invocation.names;
  const action = actions.find((one) => one === word);
  if (!action) throw new UsageError(`autostart can't ${shown(word)}`, `it takes ${actions.join(', ')}, and names after that`);
  checkOptions(invocation, action, names);
  for (const name of names) checkedName(name);
  switch (action) {
    case 'enable':
      return enable(invocation, context, names);
    case 'disable':
      return disable(invocation, context, names);
    case 'status':
      return status(invocation, context, names);
  }
}

function checkOptions(invocation: Invocation, action: Action, names: readonly string[]): void {
  const file = invocation.value('--file');
  if (file !== undefined && names.length > 0) throw new UsageError(`autostart ${action} takes names or --file, not both`);
  if (action !== 'status' && file === undefined && names.length === 0)
    throw new UsageError(`autostart ${action} needs the name of a daemon`, 'or --file daemonry.yaml for all of a project');
  const stray = ['--no-verify', '--linger'].find((flag) => action !== 'enable' && invocation.has(flag));
  if (stray) throw new UsageError(`${stray} is for autostart enable only`);
}

/** What came of one service: all of its daemons share it. */
type Outcome<T> = { readonly names: readonly string[] } & ({ readonly done: T } | { readonly failure: Failure });

async function enable(invocation: Invocation, { machine, settings, cwd }: VerbContext, names: readonly string[]): Promise<Answer> {
  const context = autostartContext(machine, settings);
  const options = { verify: !invocation.has('--no-verify'), linger: invocation.has('--linger') };
  const project = names.length === 0 ? projectOf(invocation, { cwd }) : undefined;
  const enableOne = (name: string) => async () => {
    const target = project ? projectTarget(settings, project) : await findDaemonTarget(context, name);
    return withProgress(`enabling ${name}`, invocation.json, () => enableAutostart(context, target, options));
  };
  const outcomes = project
    ? [
        await outcomeOf(
          project.daemons.map(({ name }) => name),
          enableOne(project.name),
        ),
      ]
    : await inTurn(names, (name) => outcomeOf([name], enableOne(name)));
  const spelled = outcomes.map((outcome) => ('done' in outcome ? { ...outcome, names: outcome.done.target.names } : outcome));
  return answer(spelled, enabledJson, enabledLine, (done) => warningsOf(done, options.linger));
}

async function disable(invocation: Invocation, { machine, settings, cwd }: VerbContext, names: readonly string[]): Promise<Answer> {
  const context = autostartContext(machine, settings);
  const outcomes: Outcome<Disabled>[] = [];
  if (names.length === 0) {
    const { file, names: all } = projectToDisable(invocation, context.files.records(), cwd);
    outcomes.push(await outcomeOf(all, () => disableProject(context, file, all)));
  }
  outcomes.push(...(await inTurn(names, (name) => outcomeOf([name], () => disableAutostart(context, name)))));
  return answer(
    outcomes.map((outcome) => ('done' in outcome ? { ...outcome, names: outcome.done.names } : outcome)),
    ({ outcome, service, stopped }, name) => ({ name, outcome, service, stopped: stopped.includes(name) }),
    disabledLine,
    () => [],
  );
}

/** A file that is gone, or wrong by now, must not keep its service installed. */
function projectToDisable(invocation: Invocation, records: readonly ServiceRecord[], cwd: () => string) {
  try {
    const { file, daemons } = projectOf(invocation, { cwd });
    return { file, names: daemons.map(({ name }) => name) };
  } catch (error) {
    const file = resolve(cwd(), invocation.value('--file') ?? '');
    const record = records.find(({ project }) => project === file);
    if (!record) throw error;
    return { file, names: record.names };
  }
}

function disabledLine({ outcome, stopped }: Disabled, name: string): string {
  if (outcome === 'not-enabled') return `${name} is not enabled`;
  return `${name} will not be started any more${stopped.includes(name) ? ', and is stopped' : ''}`;
}

async function status(invocation: Invocation, { machine, settings, cwd }: VerbContext, names: readonly string[]): Promise<Answer> {
  const context = autostartContext(machine, settings);
  const ofProject = invocation.value('--file') === undefined ? [] : projectOf(invocation, { cwd }).daemons.map(({ name }) => name);
  const statuses = await autostartStatus(context, [...names, ...ofProject]);
  const rows = statuses.map(({ name, boot, service, reasons }) => [name, bootWords[boot], service ?? '-', reasons[0]?.message ?? '']);
  const hints = statuses
    .filter(({ enabled }) => enabled)
    .flatMap(({ reasons }) => reasons.map(({ message, hint }) => `${message}: ${hint}`));
  return {
    json: { manager: context.installer.manager, daemons: statuses.map(autostartJson) },
    lines: rows.length === 0 ? ['no daemons here'] : table(['NAME', 'AT THE NEXT BOOT', 'SERVICE', 'WHY'], rows),
    warnings: [...new Set(hints)],
    exitCode: 0,
  };
}

const bootWords = { starts: 'starts', 'at-login': 'starts when you log in', 'does-not-start': 'does not start' } as const;

/** JSON of `autostart status`, one entry for each daemon. */
export function autostartJson({ view, isManaged, reasons, ...status }: AutostartStatus): Record<string, unknown> {
  return {
    ...status,
    status: view.state,
    pid: view.state === 'stopped' ? null : (view.descriptor?.pid ?? null),
    managed: isManaged,
    reasons: reasons.map(({ code, message, hint }) => ({ code, message, hint })),
  };
}

/** One after the other: a manager that is told of many at once is none the quicker. */
async function inTurn<T>(names: readonly string[], work: (name: string) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (const name of names) all.push(await work(name));
  return all;
}

async function outcomeOf<T>(names: readonly string[], work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { names, done: await work() };
  } catch (error) {
    return { names, failure: describeFailure(error) };
  }
}

function answer<T>(
  outcomes: readonly Outcome<T>[],
  json: (done: T, name: string) => Record<string, unknown>,
  line: (done: T, name: string) => string,
  warnings: (done: T) => readonly string[],
): Answer {
  const failures = outcomes.flatMap((outcome) => ('failure' in outcome ? outcome.failure : []));
  return {
    json: {
      results: outcomes.flatMap((outcome) =>
        outcome.names.map((name) =>
          'done' in outcome ? json(outcome.done, name) : { name, outcome: 'failed', error: failureJson(outcome.failure) },
        ),
      ),
    },
    lines: outcomes.flatMap((outcome) => ('done' in outcome ? outcome.names.map((name) => line(outcome.done, name)) : [])),
    warnings: [...outcomes.flatMap((outcome) => ('done' in outcome ? warnings(outcome.done) : [])), ...failures.map(failureText)],
    exitCode: Math.max(0, ...failures.map(({ exitCode }) => exitCode)),
  };
}

function failureJson({ facts, code, message, hint }: Failure): Record<string, unknown> {
  return { ...facts, code, message, hint };
}

function failureText({ message, hint, facts }: Failure): string {
  const tail = Array.isArray(facts.logTail) ? (facts.logTail as string[]) : [];
  return [`${message}${hint === null ? '' : `; ${hint}`}`, ...tail.map((text) => `  | ${text}`)].join('\n');
}

function enabledJson(
  { target, outcome, definition, verified, takenOver, views, obstacles }: Enabled,
  name: string,
): Record<string, unknown> {
  const view = views.find(({ place }) => place.name === name);
  return {
    name,
    outcome,
    service: target.id,
    definition,
    verified,
    takenOver: takenOver.includes(name),
    status: view?.state ?? 'stopped',
    pid: view?.state === 'running' ? (view.descriptor?.pid ?? null) : null,
    boot: obstacles.some(({ untilLogin }) => untilLogin) ? 'at-login' : 'starts',
    reasons: obstacles.map(({ code, message, hint }) => ({ code, message, hint })),
  };
}

function enabledLine({ outcome, target, verified, views, takenOver }: Enabled, name: string): string {
  const view = views.find(({ place }) => place.name === name);
  const pid = view?.state === 'running' ? ` (pid ${view.descriptor?.pid})` : '';
  const proof = verified ? `, ${takenOver.includes(name) ? 'and was taken over and started' : 'and runs'} by it${pid}` : ', not tried yet';
  return `${name} is ${outcome === 'enabled' ? '' : 'already '}enabled as ${target.id}${pid === '' && verified ? '' : proof}`;
}

function warningsOf({ obstacles, lingerBy, program }: Enabled, askedToLinger: boolean): readonly string[] {
  const refused = askedToLinger && lingerBy !== undefined ? [`lingering is not permitted from here: ${lingerBy}`] : [];
  const passing = /[\\/]_npx[\\/]/.test(program)
    ? ['daemonry runs out of the cache of npx, which npm may empty: npm install --global daemonry, and enable it again']
    : [];
  // What every logon task and agent is needs no warning.
  const told = obstacles.filter(({ code }) => code !== 'at-login');
  return [...refused, ...passing, ...told.map(({ message, hint }) => `${message}: ${hint}`)];
}

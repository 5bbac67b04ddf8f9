import { existsSync, readdirSync } from 'node:fs';
import type { ProgramEnd } from '../support/command-line.js';
import { describeProcess, hasExecuted, isAlive, type MarkedProcess } from '../support/processes.js';
import type { TemporaryHome } from '../support/temporary-home.js';
import { waitFor } from '../support/wait-for.js';

const exitCodes = [0, 1, 2, 4, 5, 124];
/** What remains of a daemon that was stopped, how its runs ended among it, and of those who claimed the lock where the kernel could not hold it. */
const remembered = /^(daemon\.log|lock|runs\.ndjson|spec\.json|lock\.claim(\.[a-z-]+)?)$/;

export interface VerbRun {
  readonly args: readonly string[];
  readonly end: ProgramEnd;
  /** The instance that ran before. */
  readonly before: string | undefined;
}

/** What a verb did not keep of its promises, in sentences. */
export function brokenPromises(home: TemporaryHome, { args, end, before }: VerbRun): readonly string[] {
  const verb = args[0] as string;
  const said = `${verb} ended with ${end.exitCode} and said ${JSON.stringify([end.stdout, end.stderr])}`;
  const broken: string[] = [];
  if (!exitCodes.includes(end.exitCode)) broken.push('an exit code that none of its failures has');
  if (args.includes('--json')) broken.push(...brokenJson(end));
  else if (!/^(daemonry: [^\n]+\n( {2}\| [^\n]*\n)*|(warning: [^\n]+\n)*)$/.test(end.stderr))
    broken.push('more or less than one line on stderr');
  else if ((end.exitCode === 0) !== !end.stderr.startsWith('daemonry:')) broken.push('a line that its exit code contradicts');
  if (/\n\s+at |please report|UNKNOWN|undefined|"internal"/.test(end.stdout + end.stderr)) broken.push('a failure that is not understood');
  if (end.exitCode === 0) broken.push(...untruths(home, verb, before));
  // Whom it may not signal it can't take back.
  else if (verb !== 'stop' && startedSince(home, before) && !/not permitted to signal/.test(end.stdout + end.stderr)) {
    broken.push('it failed, and its daemon runs all the same');
  }
  return broken.map((one) => `${one}: ${said}`);
}

function brokenJson({ stdout, stderr, exitCode }: ProgramEnd): readonly string[] {
  if (stderr !== '') return ['--json, and something on stderr'];
  if (!/^\{.*\}\n$/.test(stdout)) return ['--json, and not one object on stdout'];
  const { schema, error } = JSON.parse(stdout);
  if (schema !== 1) return ['--json without a schema'];
  return (exitCode === 0) === (error === undefined) ? [] : ['an object that its exit code contradicts'];
}

function untruths(home: TemporaryHome, verb: string, before: string | undefined): readonly string[] {
  const running = home.processes();
  if (verb === 'stop') return running.length === 0 ? [] : [`exit 0, and ${describeAll(running)} still runs`];
  const { pid, instanceId, phase } = home.descriptor('clock') ?? {};
  if (!running.some((seen) => seen.pid === pid && seen.instanceId === instanceId)) return ['exit 0, and what is on record does not run'];
  if (phase !== 'ready') return [`exit 0, and its phase is ${phase}`];
  return verb === 'restart' && instanceId === before ? ['exit 0, and it is the instance of before'] : [];
}

function startedSince(home: TemporaryHome, before: string | undefined): boolean {
  return home.processes().some((seen) => hasExecuted(seen.pid) && seen.instanceId !== before);
}

/** Which processes of the home are on no record, once every gate has left whose starter is gone. */
export async function orphans(home: TemporaryHome): Promise<readonly string[]> {
  try {
    await waitFor('the end of every gate', () => home.processes().every(({ pid }) => hasExecuted(pid) || !isAlive(pid)), 10_000);
  } catch {
    return [`a gate outlives its starter: ${describeAll(home.processes())}`];
  }
  let recorded: string | undefined;
  try {
    recorded = home.descriptor('clock')?.instanceId;
  } catch {
    return ['the descriptor is half there'];
  }
  const strays = home.processes().filter(({ instanceId }) => instanceId !== recorded);
  return strays.length === 0 ? [] : [`on no record: ${describeAll(strays)}`];
}

/** Whoever heals a home. */
export interface Healer {
  stop(home: TemporaryHome): Promise<unknown>;
  start(home: TemporaryHome): Promise<unknown>;
}

/** In the hands of the test's own program, which is quick. */
export const libraryHealer: Healer = {
  stop: (home) => home.sleeper('clock').stop(),
  start: (home) => home.sleeper('clock').start(),
};

/** As a user does it. */
export const commandLineHealer: Healer = {
  stop: (home) => mustSucceed(home, ['stop', 'clock']),
  start: (home) => mustSucceed(home, ['start', 'clock', '--', 'sleep', '1000']),
};

async function mustSucceed(home: TemporaryHome, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await home.cli(args);
  if (exitCode !== 0) throw new Error(`exit ${exitCode}: ${stderr}`);
}

/** Whether the next verbs work as ever, and leave only what is to be remembered. */
export async function lastingHarm(home: TemporaryHome, healer: Healer): Promise<readonly string[]> {
  const harm: string[] = [];
  const tryTo = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      harm.push(`${what} fails: ${error instanceof Error ? error.message : error}`);
    }
  };
  await tryTo('the next stop', () => healer.stop(home));
  if (home.processes().length > 0) harm.push(`the next stop leaves ${describeAll(home.processes())}`);
  await tryTo('the next start', () => healer.start(home));
  const running = home.processes();
  if (running.length !== 1 || running[0]?.instanceId !== home.descriptor('clock')?.instanceId)
    harm.push(`the next start leaves ${describeAll(running)}`);
  await tryTo('the last stop', () => healer.stop(home));
  if (home.processes().length > 0) harm.push(`the last stop leaves ${describeAll(home.processes())}`);
  const left = home.filesOf('clock').filter((file) => !remembered.test(file));
  const besides = existsSync(home.path) ? readdirSync(home.path).filter((file) => !['.lock', 'clock'].includes(file)) : [];
  if (left.length + besides.length > 0) harm.push(`files that nobody clears: ${[...left, ...besides].join(', ')}`);
  return harm;
}

function describeAll(processes: readonly MarkedProcess[]): string {
  return processes.map(({ pid, instanceId }) => `${describeProcess(pid)} of instance ${instanceId}`).join(', ') || 'nobody';
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { isAlive, untilDead } from '../../support/processes.js';
import type { AnyJson, Started, TemporaryHome } from '../../support/temporary-home.js';
import { waitFor } from '../../support/wait-for.js';

/** Starts a daemon that is to be restarted whatever happens, unless the options say otherwise. */
export function startKept(
  home: TemporaryHome,
  name: string,
  command: readonly string[] = ['sleep', '1000'],
  ...options: string[]
): Promise<Started> {
  return home.start(name, command, ...(options.includes('--restart') ? [] : ['--restart', 'always']), ...options);
}

/** Waits for another run of a daemon, ready, and returns its descriptor. */
export function nextRun(home: TemporaryHome, name: string, before: { readonly instanceId: string }): Promise<AnyJson> {
  return waitFor(
    () => `another run of ${name}: ${JSON.stringify(home.descriptor(name))}`,
    () => {
      const descriptor = home.descriptor(name);
      return descriptor && descriptor.instanceId !== before.instanceId && descriptor.phase === 'ready' && descriptor;
    },
  );
}

/** Waits until the record of a daemon is in this phase. */
export function inPhase(home: TemporaryHome, name: string, phase: string): Promise<AnyJson> {
  return waitFor(
    () => `the phase ${phase} of ${name}: ${JSON.stringify(home.descriptor(name))}`,
    () => {
      const descriptor = home.descriptor(name);
      return descriptor?.phase === phase && descriptor;
    },
  );
}

/** Waits until a daemon is on no record any more. */
export async function untilCleared(home: TemporaryHome, name: string): Promise<void> {
  await waitFor(`the record of ${name} to be cleared`, () => home.descriptor(name) === undefined);
}

export function killNow(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  return untilDead(pid);
}

/** The supervisor of the home, as it stands on record. */
export function supervisorOf(home: TemporaryHome): { readonly pid: number; readonly instanceId: string; readonly startToken: string } {
  return home.descriptor('supervisor');
}

export async function killSupervisor(home: TemporaryHome): Promise<{ readonly pid: number; readonly instanceId: string }> {
  const supervisor = supervisorOf(home);
  await killNow(supervisor.pid);
  return supervisor;
}

/** Waits until a supervisor has left by itself. */
export async function untilLeft(pid: number): Promise<void> {
  await waitFor(`supervisor ${pid} to leave`, () => !isAlive(pid));
}

/** Waits until a daemon is in the hands of another supervisor than this one, and returns its descriptor. */
export function takenOver(home: TemporaryHome, name: string, from: { readonly instanceId: string }): Promise<AnyJson> {
  return waitFor(
    () => `a new supervisor of ${name}: ${JSON.stringify(home.descriptor(name))}`,
    () => {
      const by = home.descriptor(name)?.supervisedBy;
      return by && by.instanceId !== from.instanceId && home.descriptor(name);
    },
  );
}

export async function statusOf(home: TemporaryHome, name: string): Promise<AnyJson> {
  return (await home.cli(['status', name, '--json'])).json;
}

/** The flight recorder, the oldest run first. */
export function runsOf(home: TemporaryHome, name: string): readonly AnyJson[] {
  const path = home.at(name, 'runs.ndjson');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Waits until so many runs of a daemon have been recorded, and returns them. */
export function recordedRuns(home: TemporaryHome, name: string, count: number): Promise<readonly AnyJson[]> {
  return waitFor<AnyJson>(
    () => `${count} runs of ${name} on record: ${JSON.stringify(runsOf(home, name))}`,
    () => {
      const runs = runsOf(home, name);
      return runs.length >= count ? runs : undefined;
    },
  );
}

/** A daemon that ends with this exit code each time its latch is opened. */
export function endsAtLatch(latch: { readonly path: string }, exitCode: number): readonly string[] {
  return ['sh', '-c', `echo up; read -r _ <'${latch.path}'; echo going; exit ${exitCode}`];
}

/** Restarts without delay, for as long as the test likes. */
export const atOnce = ['--restart-delay', '0s', '--restart-limit', '0'];
/** Waits so long before the second restart in a row that a test sees it waiting. */
export const longBackoff = ['--restart-delay', '1h', '--restart-max-delay', '1h'];

/** Makes a remembered spec another one, as a start by somebody else does. */
export function rememberAnother(home: TemporaryHome, name: string, fields: Readonly<Record<string, unknown>>): void {
  const path = home.at(name, 'spec.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...fields }));
}

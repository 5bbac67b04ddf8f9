import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeProcess, isAlive, type MarkedProcess, markedProcesses, processFacts } from '../support/processes.js';
import type { Player } from './cast.js';

export interface Leader extends MarkedProcess {
  readonly name: string;
}

/** What stands in the arguments of a supervisor's process. */
export const supervisorProgram = join('dist', 'supervisor.cjs');

/** The living first processes of daemons: they lead their session, and have become their program. */
export function leadersIn(home: string, players: readonly Player[]): readonly Leader[] {
  const programs = new Map<string, string>([
    ...players.map(({ name, program }): [string, string] => [name, program]),
    ['supervisor', supervisorProgram],
  ]);
  return markedProcesses(home).flatMap((seen) => {
    const name = nameOf(seen);
    const program = programs.get(name);
    const words = wordsOf(seen.pid);
    const isGate = words.includes('daemonry-gate');
    const isLeader = processFacts(seen.pid)?.session === seen.pid;
    return program !== undefined && isLeader && !isGate && words.some((word) => word.endsWith(program)) ? [{ ...seen, name }] : [];
  });
}

/** Two of one name at one time. Each is looked at again after the other was seen, so that one that has just ended is none. */
export function twinsAmong(leaders: readonly Leader[]): readonly string[] {
  return leaders.flatMap((one, index) => {
    const twin = leaders.slice(index + 1).find(({ name, instanceId }) => name === one.name && instanceId !== one.instanceId);
    if (!twin || !isStill(one) || !isStill(twin)) return [];
    return [
      `two of ${one.name} live: ${describeProcess(one.pid)} of ${one.instanceId}, ${describeProcess(twin.pid)} of ${twin.instanceId}`,
    ];
  });
}

export function isStill({ pid, startToken }: { readonly pid: number; readonly startToken: string }): boolean {
  return isAlive(pid) && processFacts(pid)?.startToken === startToken;
}

/** The name of the daemon that a process belongs to. */
export function nameOf({ descriptor }: MarkedProcess): string {
  return basename(dirname(descriptor));
}

/** Proportional set size in kilobytes; `undefined` of one that is gone. */
export function pssOf(pid: number): number | undefined {
  const text = /^Pss:\s+(\d+) kB/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1];
  return text === undefined ? undefined : Number(text);
}

function wordsOf(pid: number): readonly string[] {
  return readIfThere(`/proc/${pid}/cmdline`).split('\0');
}

export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

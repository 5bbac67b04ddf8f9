import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, sep } from 'node:path';
import { waitFor } from './wait-for.js';

/** One living process that carries the marks of a daemon. */
export interface MarkedProcess {
  readonly pid: number;
  readonly startToken: string;
  readonly instanceId: string;
  readonly descriptor: string;
}

export interface ProcessFacts {
  readonly state: string;
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  readonly threads: number;
  readonly startToken: string;
}

/** What the kernel says of a pid; `undefined` where there is none. */
export function processFacts(pid: number): ProcessFacts | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] as string,
    parent: Number(fields[1]),
    processGroup: Number(fields[2]),
    session: Number(fields[3]),
    threads: Number(fields[17]),
    startToken: fields[19] as string,
  };
}

/** A zombie is dead, but for one whose other threads have not ended yet. */
export function isAlive(pid: number): boolean {
  const facts = processFacts(pid);
  return facts !== undefined && (facts.state !== 'Z' || facts.threads > 1) && facts.state !== 'X';
}

export function startTokenOf(pid: number): string {
  const facts = processFacts(pid);
  if (!facts) throw new Error(`there is no process ${pid}`);
  return facts.startToken;
}

/** Polls until the process is dead. */
export async function untilDead(pid: number): Promise<void> {
  await waitFor(`the end of pid ${pid}`, () => !isAlive(pid));
}

/** Whether a daemon's process has become its command. Before, it waits behind the launch gate for its starter. */
export function hasExecuted(pid: number): boolean {
  const commandLine = commandLineOf(pid);
  return commandLine !== '' && !commandLine.includes('daemonry-gate') && !commandLine.includes('DAEMONRY_CARRY_');
}

/** Each argument with a zero byte behind it; empty where there is no process, which may be gone since it was listed. */
export function commandLineOf(pid: number): string {
  return readText(`/proc/${pid}/cmdline`) ?? '';
}

/** The name of the program that runs in a process. */
export function commandOf(pid: number): string | undefined {
  return readText(`/proc/${pid}/comm`)?.trim();
}

export function environmentOf(pid: number): Record<string, string> {
  return parseEnvironment(readText(`/proc/${pid}/environ`) ?? '');
}

/** Every living process that was started as a daemon, or by one, whose descriptor belongs under `folder`. */
export function markedProcesses(folder: string): readonly MarkedProcess[] {
  return allPids().flatMap((pid) => {
    const text = readText(`/proc/${pid}/environ`);
    // Parsing all of them would take longer than reading them.
    if (!text?.includes(`DAEMONRY_DESCRIPTOR=${folder}${sep}`) || pid === process.pid) return [];
    const { DAEMONRY_DESCRIPTOR: descriptor, DAEMONRY_INSTANCE: instanceId } = parseEnvironment(text);
    const facts = processFacts(pid);
    return facts && descriptor && instanceId && isAlive(pid) ? [{ pid, startToken: facts.startToken, instanceId, descriptor }] : [];
  });
}

function parseEnvironment(text: string): Record<string, string> {
  const entries = text.split('\0').filter((entry) => entry.includes('='));
  return Object.fromEntries(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}

/** Kills exactly the process that was seen, if it is still there. */
export function killSeen(seen: { readonly pid: number; readonly startToken: string }): void {
  if (seen.pid <= 1 || processFacts(seen.pid)?.startToken !== seen.startToken) return;
  try {
    process.kill(seen.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The supervisor of some home: it starts again what ends, unless it is ended first. */
export function isSupervisor({ descriptor }: MarkedProcess): boolean {
  return basename(dirname(descriptor)) === 'supervisor';
}

export function describeProcess(pid: number): string {
  const commandLine = commandLineOf(pid).split('\0').join(' ').trim();
  return `pid ${pid} (${commandLine})`;
}

/** The identity of this machine as a descriptor records it, put together without any code of the project. */
export function worldHere(): { bootId: string; pidNamespace: string; timeNamespace: string; host: string } {
  const pidNamespace = readlinkSync('/proc/self/ns/pid');
  // The first pid namespace has this inode in every kernel.
  const isFirst = pidNamespace === 'pid:[4026531836]';
  return {
    bootId: (readText('/proc/sys/kernel/random/boot_id') as string).trim(),
    pidNamespace,
    timeNamespace: readlinkSync('/proc/self/ns/time'),
    host: (isFirst && readText('/etc/machine-id')?.trim()) || hostname(),
  };
}

function allPids(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

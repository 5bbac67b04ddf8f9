import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { DaemonRef, HeldLock, RunLog } from '../../domain/ports.js';
import type { RunCause, RunRecord } from '../../domain/run-record.js';
import type { FileDescriptorRepo } from './file-descriptor-repo.js';
import { naming } from './file-errors.js';
import { readOwnFile, writeAtomically } from './safe-files.js';

/** Beyond it, the older half goes. */
const mostBytes = 512 * 1024;
/** Of each line of a daemon's log that a run is remembered by. */
const longestTailLine = 500;

/** `runs.ndjson`: a line for each run, the newest last. What can't be read as one is skipped. */
export class FileRunLog implements RunLog {
  constructor(private readonly repo: Pick<FileDescriptorRepo, 'locate'>) {}

  append(held: HeldLock, run: RunRecord): void {
    const { runs } = this.repo.locate(held.ref).files;
    const line = `${JSON.stringify({ ...run, logTail: run.logTail.map((one) => one.slice(0, longestTailLine)) })}\n`;
    if (appendWhole(runs, line) > mostBytes) this.shorten(runs);
  }

  read(ref: DaemonRef, most: number): readonly RunRecord[] {
    const file = readOwnFile(this.repo.locate(ref).files.runs);
    if (!file || !('text' in file)) return [];
    const found: RunRecord[] = [];
    for (const line of file.text.split('\n').reverse()) {
      if (found.length >= most) break;
      found.push(...decodeRun(line));
    }
    return found;
  }

  private shorten(path: string): void {
    const file = readOwnFile(path);
    if (!file || !('text' in file)) return;
    const lines = file.text.split('\n').filter((line) => line !== '');
    writeAtomically(path, `${lines.slice(Math.ceil(lines.length / 2)).join('\n')}\n`);
  }
}

/** In one write, after a line that a crash or a full disk cut short. Returns the file's size. */
function appendWhole(path: string, line: string): number {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  return naming(path, 'write', () => {
    const fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    try {
      if (!fstatSync(fd).isFile()) return 0;
      writeSync(fd, endsInLine(fd) ? line : `\n${line}`);
      return fstatSync(fd).size;
    } finally {
      closeSync(fd);
    }
  });
}

function endsInLine(fd: number): boolean {
  const { size } = fstatSync(fd);
  const last = Buffer.alloc(1);
  return size === 0 || readSync(fd, last, 0, 1, size - 1) === 0 || last[0] === 0x0a;
}

const causes: readonly RunCause[] = ['stop', 'exit', 'crash', 'oom', 'crash-loop', 'unknown'];

/** One line; none where it is not one of ours. */
export function decodeRun(line: string): readonly RunRecord[] {
  if (line === '') return [];
  let value: Partial<Record<keyof RunRecord, unknown>> | null;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  if (typeof value !== 'object' || value === null) return [];
  const { instanceId, pid, startedAt, endedAt, cause, decision, exitCode, signal, logTail } = value;
  const areTexts = [instanceId, startedAt, endedAt, decision].every((text) => typeof text === 'string');
  if (!areTexts || !Number.isSafeInteger(pid) || !causes.includes(cause as RunCause)) return [];
  const isTail = Array.isArray(logTail) && logTail.every((one) => typeof one === 'string');
  const known = {
    exitCode: Number.isSafeInteger(exitCode) ? exitCode : null,
    signal: typeof signal === 'string' ? signal : null,
    logTail: isTail ? logTail : [],
  };
  return [{ ...value, ...known } as RunRecord];
}

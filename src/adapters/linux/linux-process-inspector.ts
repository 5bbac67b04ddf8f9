import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { constants, hostname } from 'node:os';
import { DaemonError } from '../../domain/daemon-error.js';
import type { MemoryWitness } from '../../domain/descriptor.js';
import type { Observation, Vantage } from '../../domain/identity.js';
import type { DaemonMarks, Environment, ProcessInspector, ProcessRow, ProcessUsage } from '../../domain/ports.js';
import { errnoOf, naming } from '../files/file-errors.js';
import { monotonicMs } from '../monotonic-ms.js';
import { gatePrograms, isGate } from '../posix/gate-script.js';
import { parseEnviron, parseMarks } from '../posix/marks.js';
import { mayHaveMembers } from '../posix/process-group.js';
import { memoryKills } from './memory-kills.js';
import { type ProcStat, parseProcStat, programName } from './proc-stat.js';

/** `PROC_PID_INIT_INO`: the inode of the first pid namespace, fixed in the kernel's `include/linux/proc_ns.h`. */
const initialPidNamespace = 'pid:[4026531836]';
/** `USER_HZ`: 100 wherever the kernel speaks to programs. */
const ticksPerSecond = 100;
/** How long it is taken for granted that nobody has moved this process to another control group. */
const rememberMs = 50;

/** Reads `/proc`, synchronously: 25 µs for a look, where `fs.promises` takes twenty times as long. */
export class LinuxProcessInspector implements ProcessInspector {
  private here: Vantage | undefined;
  /** Where the kernel counts what it kills for want of memory around this process: not looked for again by who starts hundreds. */
  private ownGroup: { readonly source: string; readonly foundMs: number } | undefined;

  constructor(private readonly env: Readonly<Record<string, string | undefined>>) {}

  vantage(): Vantage {
    this.here ??= this.findVantage();
    return this.here;
  }

  observe(pid: number): Observation {
    const stat = readStat(pid);
    if (stat) return new SeenProcess(stat);
    // Not listed may mean hidden (hidepid): only the kernel's ESRCH proves that nobody is there.
    try {
      process.kill(pid, 0);
      return { kind: 'hidden' };
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ESRCH' ? { kind: 'absent' } : { kind: 'hidden' };
    }
  }

  isNamespaceInhabited(pidNamespace: string): boolean | undefined {
    // Only from the first namespace are all others seen.
    if (this.vantage().pidNamespace !== initialPidNamespace) return undefined;
    let allSeen = true;
    for (const pid of allPids()) {
      const namespace = readLink(`/proc/${pid}/ns/pid`);
      // A zombie shows its namespace still, and lives nowhere.
      if ((namespace === undefined || namespace === pidNamespace) && readStat(pid)?.zombie) continue;
      if (namespace === pidNamespace) return true;
      if (namespace === undefined && livesInNestedNamespace(pid)) allSeen = false;
    }
    return allSeen ? false : undefined;
  }

  survey(): readonly ProcessRow[] {
    const rows: ProcessRow[] = [];
    const sinceBoot = secondsSinceBoot();
    for (const pid of allPids()) {
      const stat = parseProcStat(readIfThere(`/proc/${pid}/stat`) ?? '');
      if (stat) rows.push(new TableRow(stat, sinceBoot));
    }
    return rows;
  }

  marksOf(pid: number): DaemonMarks | undefined {
    const environment = readIfThere(`/proc/${pid}/environ`);
    const marks = environment === undefined ? undefined : parseMarks(environment.split('\0'));
    if (!marks) return undefined;
    // The instance is random, and means the same everywhere; a path means another file in another container.
    const sameFiles = ['pid', 'mnt'].every((kind) => readLink(`/proc/${pid}/ns/${kind}`) === readLink(`/proc/self/ns/${kind}`));
    return sameFiles ? marks : { ...marks, descriptor: '' };
  }

  usage(pid: number): ProcessUsage | undefined {
    const stat = readStat(pid);
    return stat && usageOf(stat, secondsSinceBoot());
  }

  handles(pid: number, signal: string): boolean | undefined {
    const status = readText(`/proc/${pid}/status`) ?? '';
    const masks = ['SigIgn', 'SigCgt'].map((name) => new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1]);
    const number = constants.signals[signal as NodeJS.Signals];
    if (masks.includes(undefined) || number === undefined) return undefined;
    return masks.some((mask) => (BigInt(`0x${mask}`) >> BigInt(number - 1)) & 1n);
  }

  mayHaveMembers(processGroup: number): boolean {
    return mayHaveMembers(processGroup);
  }

  environmentOf(pid: number): Environment | undefined {
    const text = readIfThere(`/proc/${pid}/environ`);
    // Empty for a zombie; a daemon of ours has its marks at least.
    return text ? parseEnviron(text) : undefined;
  }

  memoryKills(of: number | string): MemoryWitness | undefined {
    if (of !== process.pid) return memoryKills(of);
    const nowMs = monotonicMs();
    const known = this.ownGroup && nowMs - this.ownGroup.foundMs <= rememberMs ? memoryKills(this.ownGroup.source) : undefined;
    const found = known ?? memoryKills(of);
    if (found && !known) this.ownGroup = { source: found.source, foundMs: nowMs };
    return found;
  }

  ownLineage(): readonly number[] {
    const lineage: number[] = [];
    for (let pid = process.pid; pid > 1 && !lineage.includes(pid); pid = readStat(pid)?.parent ?? 0) lineage.push(pid);
    return lineage;
  }

  /** Whether this process has become its command, and is not the launch gate any more. */
  hasExecuted(pid: number): boolean {
    const stat = readText(`/proc/${pid}/stat`) ?? '';
    // Told without a look at its arguments, which are in its memory: that waits for a program that is just being loaded into it.
    if (!gatePrograms.includes(programName(stat)) && parseProcStat(stat)?.zombie === false) return true;
    const commandLine = readText(`/proc/${pid}/cmdline`);
    if (commandLine !== '') return commandLine !== undefined && !isGate(commandLine.split('\0'));
    // That of a zombie, but also of a daemon whose first thread has ended. A gate always has words.
    const seen = this.observe(pid);
    return seen.kind === 'process' && !seen.zombie;
  }

  private findVantage(): Vantage {
    const self = parseProcStat(own(`/proc/${process.pid}/stat`, readFile) ?? '');
    const bootId = own('/proc/sys/kernel/random/boot_id', readFile)?.trim();
    const pidNamespace = own('/proc/self/ns/pid', readlinkSync);
    if (!self || !bootId || !pidNamespace) {
      throw new DaemonError('unsupported', "processes can't be told apart here: /proc is not mounted", { path: '/proc' });
    }
    return {
      pid: process.pid,
      startToken: self.startToken,
      bootId,
      pidNamespace,
      timeNamespace: own('/proc/self/ns/time', readlinkSync) ?? 'none',
      host: pidNamespace === initialPidNamespace ? machineId() : hostname(),
      uid: process.geteuid?.() ?? 0,
      exclusiveHome: this.env.DAEMONRY_EXCLUSIVE_HOME === '1',
    };
  }
}

/** What few ask for is looked for when they do. Classes, since a getter of each object's own would take longer than all the rest of it. */
class SeenProcess {
  readonly kind = 'process';
  readonly startToken: string;
  readonly zombie: boolean;
  readonly processGroup: number;
  readonly session: number;
  readonly #pid: number;

  constructor({ pid, startToken, zombie, processGroup, session }: ProcStat) {
    this.startToken = startToken;
    this.zombie = zombie;
    this.processGroup = processGroup;
    this.session = session;
    this.#pid = pid;
  }

  get uid(): number {
    return ownerOf(this.#pid);
  }
}

class TableRow implements ProcessRow {
  readonly pid: number;
  readonly startToken: string;
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  readonly zombie: boolean;

  constructor(
    private readonly stat: ProcStat,
    private readonly sinceBoot: number,
  ) {
    this.pid = stat.pid;
    this.startToken = stat.startToken;
    this.parent = stat.parent;
    this.processGroup = stat.processGroup;
    this.session = stat.session;
    this.zombie = stat.zombie;
  }

  get uid(): number {
    return ownerOf(this.pid);
  }

  get usage(): ProcessUsage | undefined {
    return usageOf(this.stat, this.sinceBoot);
  }
}

function secondsSinceBoot(): number {
  return Number.parseFloat(readText('/proc/uptime') ?? '');
}

function usageOf({ pid, zombie, startToken, cpuTicks }: ProcStat, sinceBoot: number): ProcessUsage | undefined {
  // A zombie has none, and neither has a kernel thread.
  const pages = zombie ? 0 : residentPages(pid);
  if (!pages || Number.isNaN(sinceBoot)) return undefined;
  const uptimeSeconds = Math.max(sinceBoot - Number(startToken) / ticksPerSecond, 0);
  const cpuPercent = uptimeSeconds > 0 ? (100 * cpuTicks) / ticksPerSecond / uptimeSeconds : 0;
  return { uptimeMs: uptimeSeconds * 1_000, cpuPercent, memoryBytes: pages * pageBytes() };
}

/** The field of `stat` is a rough count since Linux 6.2, and `status` takes twice as long. */
function residentPages(pid: number): number | undefined {
  const pages = readText(`/proc/${pid}/statm`)?.split(' ', 2)[1];
  return pages === undefined ? undefined : Number(pages);
}

let knownPageBytes: number | undefined;

/** Node does not tell it, but how much memory we have, which `/proc` tells in pages: what came in between is far from twice as much. */
function pageBytes(): number {
  knownPageBytes ??= 2 ** Math.round(Math.log2(process.memoryUsage.rss() / (residentPages(process.pid) ?? Number.NaN)));
  return knownPageBytes;
}

/** Survives a change of the host name, as laptops have it. A container's is its image's, so there the host name stands in. */
function machineId(): string {
  return own('/etc/machine-id', readFile)?.trim() || own('/var/lib/dbus/machine-id', readFile)?.trim() || hostname();
}

function allPids(): readonly number[] {
  return naming('/proc', 'read', () => readdirSync('/proc'))
    .map(Number)
    .filter(Number.isSafeInteger);
}

function readStat(pid: number): ProcStat | undefined {
  return parseProcStat(readText(`/proc/${pid}/stat`) ?? '');
}

function ownerOf(pid: number): number {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return -1;
  }
}

/** `NSpid` lists the pid once for each namespace from ours downwards, and anybody may read it. */
function livesInNestedNamespace(pid: number): boolean {
  const status = readText(`/proc/${pid}/status`);
  return status !== undefined && (/^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/).length ?? 2) > 1;
}

/**
 * A part of our own identity; `undefined` where this system has none of it. What exists and can't be read just now must not
 * be left out: a record that lacks it would be another world's for ever.
 */
function own(path: string, read: (path: string) => string): string | undefined {
  try {
    return read(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new DaemonError('unsupported', `processes can't be told apart here: can't read ${path}: ${errno}`, { path, errno }, error);
  }
}

/** `undefined` where the process is gone or hidden from us; whoever can't be looked at for any other reason is not left out in silence. */
function readIfThere(path: string): string | undefined {
  try {
    return readFile(path);
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errnoOf(error))) return undefined;
    return naming(path, 'read', () => {
      throw error;
    });
  }
}

function readFile(path: string): string {
  return readFileSync(path, 'utf8');
}

function readText(path: string): string | undefined {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

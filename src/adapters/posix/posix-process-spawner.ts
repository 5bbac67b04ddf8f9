import { spawn } from 'node:child_process';
import { constants, openSync, realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { DaemonError, isDaemonError } from '../../domain/daemon-error.js';
import { checkCommand, type DaemonSpec } from '../../domain/daemon-spec.js';
import type { Observation, Vantage } from '../../domain/identity.js';
import type { Environment, Launch, LaunchRequest, ProcessSpawner, ResolvedCommand } from '../../domain/ports.js';
import { composeEnvironment, marksEnvironment } from '../files/daemon-environment.js';
import { errnoOf, fileFailure } from '../files/file-errors.js';
import { closeQuietly } from '../files/safe-files.js';
import { monotonicMs } from '../monotonic-ms.js';
import { coverStrays } from './cover-strays.js';
import { findExecutable, findTool } from './find-executable.js';
import { type GateCommand, type GateTools, gateCommand, spareScript } from './gate-script.js';
import { gateFd, PosixLaunch } from './posix-launch.js';
import { SpareGate } from './spare-gate.js';

export interface SpawnerSystem {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly inspector: { vantage(): Vantage; observe(pid: number): Observation };
  /** Descriptors of ours above 2 that a child would inherit unasked. */
  readonly strayDescriptors: () => readonly number[];
  /** See `FileSettings`. */
  readonly hasTime?: boolean | undefined;
  /** Has a shell wait for the next launch: for a program that stays, and restarts what has crashed. */
  readonly keepsSpare?: boolean;
}

const notifyFd = 4;

/** Starts detached processes in sessions of their own, behind a launch gate where there is a shell. */
export class PosixProcessSpawner implements ProcessSpawner {
  private readonly tools: GateTools | undefined;
  private readonly spare: SpareGate | undefined;

  constructor(private readonly system: SpawnerSystem) {
    const { PATH } = system.env;
    const sh = findTool('sh', '/bin');
    this.tools = sh ? gateTools(sh, PATH) : undefined;
    if (system.keepsSpare && this.tools?.isDash) this.spare = new SpareGate(this.tools.sh, system.strayDescriptors);
  }

  get gated(): boolean {
    return this.tools !== undefined;
  }

  resolve(spec: DaemonSpec, environment: Environment = this.system.env): ResolvedCommand {
    checkFolder(spec.cwd);
    checkCommand(spec);
    const [command = '', ...argv] = spec.command;
    const env = composeEnvironment(spec, environment);
    const found = { file: findExecutable(command, spec.cwd, env.PATH ?? '/usr/bin:/bin'), argv, cwd: spec.cwd, env };
    return { ...found, gated: this.tools !== undefined && gateCommand(found, this.tools) !== undefined };
  }

  async spawn(request: LaunchRequest): Promise<Launch> {
    const { inspector } = this.system;
    const opened: number[] = [];
    const keep = (fd: number) => {
      opened.push(fd);
      return fd;
    };
    try {
      const log = keep(openLog(request.log));
      const notify = request.notifyFile === null ? undefined : keep(openNotifyFile(request.notifyFile));
      const env = { ...request.command.env, ...marksEnvironment(request, notify === undefined ? undefined : notifyFd) };
      const waiting = this.takeSpare(request, env);
      if (waiting) return await PosixLaunch.of(waiting.child, inspector, waiting);
      const gate = this.tools && gateCommand({ ...request.command, env }, this.tools);
      const plain: GateCommand = { file: request.command.file, args: request.command.argv, env };
      const { file, args, env: childEnv } = gate ?? plain;
      const cover = keep(openSync('/dev/null', 'r+'));
      const stdio = coverStrays(['ignore', log, log, gate ? 'pipe' : 'ignore', notify ?? 'ignore'], this.system.strayDescriptors(), cover);
      const child = spawn(file, args, { cwd: request.command.cwd, env: childEnv, stdio, detached: true });
      return await PosixLaunch.of(child, inspector, gate && { input: child.stdio?.[gateFd], word: 'go\n', hasTime: this.system.hasTime });
    } catch (error) {
      if (isDaemonError(error)) throw error;
      throw spawnFailure(error, request);
    } finally {
      for (const fd of opened) closeQuietly(fd);
      this.spare?.prepare();
    }
  }

  /** One that is told by somebody else to leave must not count as this daemon's crash: it is looked at first. */
  private takeSpare({ command, log, notifyFile }: LaunchRequest, env: Readonly<Record<string, string>>) {
    if (!this.spare?.isThere) return undefined;
    const notify = notifyFile === null ? undefined : { path: notifyFile, fd: notifyFd };
    const word = spareScript({ ...command, env }, { log, notify });
    const waiting = word === undefined ? undefined : this.spare.take();
    if (word === undefined || !waiting) return undefined;
    const seen = this.system.inspector.observe(waiting.child.pid as number);
    return seen.kind === 'process' && !seen.zombie ? { ...waiting, word, waitedMs: Math.round(monotonicMs() - waiting.bornMs) } : undefined;
  }
}

/** Most commands need neither `env` nor `nice`: they are looked for when one does. */
function gateTools(sh: string, path: string | undefined): GateTools {
  return {
    sh,
    isDash: isDash(sh),
    get env() {
      return findTool('env', path);
    },
    get nice() {
      return findTool('nice', path);
    },
  };
}

/** What can't be found out is taken for one of the shells that change more. */
function isDash(sh: string): boolean {
  try {
    return basename(realpathSync.native(sh)) === 'dash';
  } catch {
    return false;
  }
}

/** Appending, so that several writers never overwrite each other; never through a link; never a FIFO, which would block. */
function openLog(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  try {
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw fileFailure(error, path, 'write');
  }
}

function openNotifyFile(path: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    throw fileFailure(error, path, 'write');
  }
}

function checkFolder(cwd: string): void {
  let why = 'it is not a folder';
  try {
    if (statSync(cwd).isDirectory()) return;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EACCES') throw fileFailure(error, cwd, 'read');
    why = errno;
  }
  throw new DaemonError('invalid-spec', `can't use ${cwd} as the working folder: ${why}`, { cwd });
}

function spawnFailure(error: unknown, request: LaunchRequest): DaemonError {
  const errno = errnoOf(error);
  if (errno === 'E2BIG')
    return new DaemonError('invalid-spec', 'the arguments or the environment are too long for this system', { errno }, error);
  if (errno === 'EACCES' || errno === 'EPERM')
    return new DaemonError('not-permitted', `not permitted to start ${request.command.file}: ${errno}`, { errno }, error);
  return new DaemonError('unwritable', `can't start ${request.command.file}: ${errno}`, { path: request.command.file, errno }, error);
}

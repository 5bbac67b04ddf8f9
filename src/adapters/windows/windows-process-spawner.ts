import { statSync, writeFileSync } from 'node:fs';
import { DaemonError } from '../../domain/daemon-error.js';
import { checkCommand, type DaemonSpec } from '../../domain/daemon-spec.js';
import type { Vantage } from '../../domain/identity.js';
import type { Launch, LaunchRequest, ProcessEnd, ProcessSpawner, ResolvedCommand } from '../../domain/ports.js';
import { composeEnvironment, marksEnvironment } from '../files/daemon-environment.js';
import { errnoOf, fileFailure } from '../files/file-errors.js';
import { batchCommandLine, commandLine, isBatchFile, longestBatchLine, longestCommandLine } from './command-line.js';
import { environmentBlock, foldEnvironment, indispensableOf, respell, variable } from './environment.js';
import { findExecutable } from './find-executable.js';
import { createHeldProcess, type HeldProcess, isConfining } from './held-process.js';
import { type Kernel, loadKernel } from './kernel.js';
import { exitCodeOf, hasEnded, timesOf } from './process-handle.js';

export interface WindowsSpawnerSystem {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly inspector: { vantage(): Vantage };
}

/** Starts processes that outlive us, each held until it is recorded. */
export class WindowsProcessSpawner implements ProcessSpawner {
  readonly gated = true;

  constructor(private readonly system: WindowsSpawnerSystem) {}

  resolve(spec: DaemonSpec): ResolvedCommand {
    checkFolder(spec.cwd);
    checkCommand(spec);
    const [command = '', ...argv] = spec.command;
    const env = this.environmentOf(spec);
    const resolved = { file: findExecutable(command, spec.cwd, env), argv, cwd: spec.cwd, env, gated: true };
    this.programOf(resolved);
    return resolved;
  }

  async spawn(request: LaunchRequest): Promise<Launch> {
    const kernel = loadKernel();
    if (request.notifyFile !== null) createNotifyFile(request.notifyFile);
    const env = { ...request.command.env, ...marksEnvironment(request, undefined) };
    const held = createHeldProcess(kernel, {
      ...this.programOf(request.command),
      cwd: request.command.cwd,
      environment: environmentBlock(env),
      log: request.log,
    });
    return this.launchOf(kernel, held);
  }

  private environmentOf(spec: DaemonSpec): Record<string, string> {
    const caller = respell(this.system.env, ['PATH', 'HOME', ...spec.passEnv]);
    const composed = composeEnvironment(spec, caller);
    return foldEnvironment(spec.cleanEnv ? { ...indispensableOf(this.system.env), ...composed } : composed);
  }

  /** What is executed, and the line that it is given: cmd.exe runs batch files. */
  private programOf({ file, argv }: ResolvedCommand): { file: string; line: string } {
    const isBatch = isBatchFile(file);
    // By our own environment: the daemon's may be anything.
    const shell = `${variable(this.system.env, 'SystemRoot') ?? 'C:\\Windows'}\\System32\\cmd.exe`;
    const line = isBatch ? batchCommandLine(shell, file, argv) : commandLine(file, argv);
    if (line.length >= (isBatch ? longestBatchLine : longestCommandLine))
      throw new DaemonError('invalid-spec', `the arguments are too long for this system: ${line.length} characters`, { path: file });
    return { file: isBatch ? shell : file, line };
  }

  private launchOf(kernel: Kernel, held: HeldProcess): Launch {
    const { bootId, pidNamespace, timeNamespace, host } = this.system.inspector.vantage();
    const times = timesOf(kernel, held.process);
    if (!times) {
      held.close();
      throw new DaemonError('unsupported', `when pid ${held.pid} was started can't be read: it is nobody, and was not let go`, {
        pid: held.pid,
      });
    }
    const startToken = String(times.created);
    let end: ProcessEnd | undefined;
    let isOpen = true;
    const look = () => {
      if (!isOpen || !hasEnded(kernel, held.process)) return end;
      end = { exitCode: exitCodeOf(kernel, held.process) ?? null, signal: null };
      // Open until then, also after the release, for whoever waits for its end. Closed twice it may be another's.
      isOpen = false;
      held.close();
      return end;
    };
    return {
      identity: { pid: held.pid, startToken, bootId, pidNamespace, timeNamespace, host },
      confined: isConfining(kernel),
      end: look,
      ended: (signal) => untilEnded(look, signal),
      open: () => held.go(),
      abort: () => {
        if (look() !== undefined) return;
        kernel.TerminateProcess(held.process, 1);
        kernel.WaitForSingleObject(held.process, abortTimeoutMs);
      },
      release: () => {
        if (look() === undefined) held.release();
      },
    };
  }
}

const abortTimeoutMs = 2_000;
/** To wait for a handle would take a thread. */
const endPollMs = 10;

async function untilEnded(look: () => ProcessEnd | undefined, signal: AbortSignal): Promise<ProcessEnd | undefined> {
  for (;;) {
    const end = look();
    if (end !== undefined || signal.aborted) return end;
    await new Promise((resolve) => setTimeout(resolve, endPollMs).unref());
  }
}

function createNotifyFile(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw fileFailure(error, path, 'write');
  }
}

function checkFolder(cwd: string): void {
  let why = 'it is not a folder';
  try {
    if (statSync(cwd).isDirectory()) return;
  } catch (error) {
    why = errnoOf(error);
  }
  throw new DaemonError('invalid-spec', `can't use ${cwd} as the working folder: ${why}`, { cwd });
}

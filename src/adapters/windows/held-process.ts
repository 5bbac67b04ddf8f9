import { DaemonError } from '../../domain/daemon-error.js';
import { fileFailure } from '../files/file-errors.js';
import { createJob, isInAnyJob, jobLimits, limitJob } from './job.js';
import type { Handle, Kernel } from './kernel.js';
import { access, bytes, ownProcess } from './process-handle.js';
import { windowsError } from './windows-error.js';

export interface HeldProcessRequest {
  readonly file: string;
  /** The whole command line, as the program will see it. */
  readonly line: string;
  readonly cwd: string;
  readonly environment: Buffer;
  readonly log: string;
}

/** A process that has not begun to run. */
export interface HeldProcess {
  readonly pid: number;
  readonly process: Handle;
  /** Lets it run, and live on without us. */
  go(): void;
  /** Lets go of all but the process itself, whose handle tells how it ends. */
  release(): void;
  close(): void;
}

const flag = {
  suspended: 0x4,
  newProcessGroup: 0x200,
  unicodeEnvironment: 0x400,
  extendedStartup: 0x8_0000,
  breakawayFromJob: 0x100_0000,
  noWindow: 0x800_0000,
};
const useStdHandles = 0x100;
const useShowWindow = 0x1;
const [handleList, jobList] = [0x2_0002, 0x2_000d];
const errorAccessDenied = 5;
/** What ResumeThread gives back then. */
const failed = 0xffff_ffff;
const [genericRead, appendData] = [0x8000_0000, 0x4];
const [openExisting, openAlways] = [3, 4];

/**
 * The launch gate of Windows: the process is created suspended, in a job whose processes the kernel ends with the job's
 * last handle, which is ours. If we die before we say go, it ends without having run; when we say go, that limit is
 * lifted first.
 *
 * Not through Node's own spawn: it passes on whatever handle is inheritable, can't leave the caller's job, and a process
 * without a console, as its `detached` makes them, opens a window for each console program that it starts. This one gets
 * a console that nobody sees, no handle but its own three, and leaves the caller's job where that job lets it.
 */
export function createHeldProcess(kernel: Kernel, request: HeldProcessRequest): HeldProcess {
  const job = createJob(kernel, jobLimits.killOnClose | jobLimits.letsGo);
  const held = [job];
  try {
    const { pid, process, thread } = createSuspended(kernel, request, job);
    held.push(thread);
    return {
      pid,
      process,
      go: () => {
        // The job stays around it, and must not keep what it starts from leaving.
        limitJob(kernel, job, jobLimits.letsGo);
        if (kernel.ResumeThread(thread) === failed) throw windowsError(kernel.GetLastError());
        closeAll(kernel, held);
      },
      release: () => closeAll(kernel, held),
      close: () => {
        closeAll(kernel, held);
        kernel.CloseHandle(process);
      },
    };
  } catch (error) {
    closeAll(kernel, held);
    throw error;
  }
}

/** Empties the list, so that no handle is closed twice: its number may be another's by then. */
function closeAll(kernel: Kernel, handles: Handle[]): void {
  for (const handle of handles.splice(0)) kernel.CloseHandle(handle);
}

interface Created {
  readonly pid: number;
  readonly process: Handle;
  readonly thread: Handle;
}

function createSuspended(kernel: Kernel, request: HeldProcessRequest, job: Handle): Created {
  const opened: Handle[] = [];
  const open = (path: string, access: number, disposition: number) => {
    const handle = openInherited(kernel, path, access, disposition);
    opened.push(handle);
    return handle;
  };
  try {
    const input = open('NUL', genericRead, openExisting);
    // FILE_APPEND_DATA: several writers never overwrite each other. It may be renamed and removed while it is open.
    const log = open(request.log, appendData | access.synchronize, openAlways);
    return create(kernel, request, { input, output: log, job });
  } finally {
    // The process has its own by now.
    closeAll(kernel, opened);
  }
}

function create(
  kernel: Kernel,
  request: HeldProcessRequest,
  { input, output, job }: { input: Handle; output: Handle; job: Handle },
): Created {
  const attributes = new Attributes(kernel, [input, output], job);
  try {
    const startup = startupInfo(input, output, attributes.list);
    const information = bytes(24);
    const always = flag.suspended | flag.newProcessGroup | flag.unicodeEnvironment | flag.extendedStartup | flag.noWindow;
    const attempt = (flags: number) => {
      // CreateProcess writes into the line.
      const line = Buffer.from(`${request.line}\0`, 'utf16le');
      const { file, cwd, environment } = request;
      return kernel.CreateProcessW(file, line, null, null, 1, flags, environment, cwd, startup, information) !== 0
        ? 0
        : kernel.GetLastError();
    };
    // A job that does not let its processes go refuses: the daemon then ends with whoever owns that job.
    let failure = attempt(always | flag.breakawayFromJob);
    if (failure === errorAccessDenied) failure = attempt(always);
    if (failure !== 0) throw createFailure(failure, request);
    return {
      process: Number(information.readBigInt64LE(0)),
      thread: Number(information.readBigInt64LE(8)),
      pid: information.readUInt32LE(16),
    };
  } finally {
    attributes.free();
  }
}

/**
 * Whether what is started from here stays in a job of ours: a terminal's, an editor's or an agent's, with which it may
 * end. Of jobs within jobs one can be asked only for the innermost, and a process leaves them up to the first that lets
 * nobody go. So it is tried, with a process that never runs; the daemon itself is in a job of its own by then.
 */
export function isConfining(kernel: Kernel): boolean {
  if (!isInAnyJob(kernel, ownProcess)) return false;
  const information = bytes(24);
  const startup = bytes(104);
  startup.writeUInt32LE(104, 0);
  const file = `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\cmd.exe`;
  const flags = flag.suspended | flag.noWindow | flag.breakawayFromJob;
  // Refused: no job lets go.
  if (kernel.CreateProcessW(file, null, null, null, 0, flags, null, null, startup, information) === 0) return true;
  const [probe, thread] = [0, 8].map((at) => Number(information.readBigInt64LE(at))) as [Handle, Handle];
  try {
    return isInAnyJob(kernel, probe);
  } finally {
    kernel.TerminateProcess(probe, 1);
    kernel.CloseHandle(thread);
    kernel.CloseHandle(probe);
  }
}

/** STARTUPINFOEXW, of 64 bits. */
function startupInfo(input: Handle, output: Handle, attributes: bigint): Buffer {
  const startup = bytes(112);
  startup.writeUInt32LE(112, 0);
  // Its window, if it has one, is not shown.
  startup.writeUInt32LE(useStdHandles | useShowWindow, 60);
  startup.writeBigInt64LE(BigInt(input), 80);
  startup.writeBigInt64LE(BigInt(output), 88);
  startup.writeBigInt64LE(BigInt(output), 96);
  startup.writeBigUInt64LE(attributes, 104);
  return startup;
}

/** What a process is created with: these handles and no others, in this job. Outside of Node's memory, where nothing moves. */
class Attributes {
  readonly list: bigint;
  private readonly allocated: bigint[] = [];

  constructor(
    private readonly kernel: Kernel,
    handles: readonly Handle[],
    job: Handle,
  ) {
    const size = bytes(8);
    kernel.InitializeProcThreadAttributeList(0n, 2, 0, size);
    this.list = this.allocate(Number(size.readBigUInt64LE()));
    const isReady =
      kernel.InitializeProcThreadAttributeList(this.list, 2, 0, size) && this.add(handleList, handles) && this.add(jobList, [job]);
    if (!isReady) throw windowsError(kernel.GetLastError());
  }

  free(): void {
    this.kernel.DeleteProcThreadAttributeList(this.list);
    for (const at of this.allocated) this.kernel.LocalFree(at);
  }

  private add(attribute: number, handles: readonly Handle[]): boolean {
    const values = bytes(8 * handles.length);
    for (const [index, handle] of handles.entries()) values.writeBigInt64LE(BigInt(handle), 8 * index);
    const at = this.allocate(values.length);
    this.kernel.RtlMoveMemory(at, values, values.length);
    return this.kernel.UpdateProcThreadAttribute(this.list, 0, attribute, at, values.length, 0, 0) !== 0;
  }

  private allocate(length: number): bigint {
    const zeroed = 0x40;
    const at = BigInt(this.kernel.LocalAlloc(zeroed, length));
    this.allocated.push(at);
    return at;
  }
}

function openInherited(kernel: Kernel, path: string, access: number, disposition: number): Handle {
  const [shareAll, normal, invalid] = [0x7, 0x80, -1];
  const security = bytes(24);
  security.writeUInt32LE(24, 0);
  security.writeInt32LE(1, 16);
  const handle = kernel.CreateFileW(path, access, shareAll, security, disposition, normal, 0);
  if (handle === invalid) throw fileFailure(windowsError(kernel.GetLastError()), path, 'write');
  return handle;
}

function createFailure(number: number, { file }: HeldProcessRequest): DaemonError {
  const cause = windowsError(number);
  const errno = cause.code as string;
  const [badFormat, machineMismatch, needsElevation, tooLong] = [193, 216, 740, 206];
  if (number === 2 || number === 3) return new DaemonError('command-not-found', `command not found: ${file}`, { command: file }, cause);
  if (number === badFormat || number === machineMismatch)
    return new DaemonError('not-executable', `${file} is no program of this system`, { command: file, path: file }, cause);
  if (number === errorAccessDenied || number === needsElevation)
    return new DaemonError('not-permitted', `not permitted to start ${file}: ${errno}`, { errno }, cause);
  if (number === tooLong)
    return new DaemonError('invalid-spec', 'the arguments or the environment are too long for this system', { errno }, cause);
  return new DaemonError('unwritable', `can't start ${file}: ${errno}`, { path: file, errno }, cause);
}

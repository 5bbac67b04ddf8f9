import type { Handle, Kernel } from './kernel.js';
import { bytes } from './process-handle.js';
import { windowsError } from './windows-error.js';

/** What a job does with its processes: ends them with its last handle, and lets those go that ask for it. */
export const jobLimits = { killOnClose: 0x2000, letsGo: 0x800 };

const extendedLimits = 9;
/** JOBOBJECT_EXTENDED_LIMIT_INFORMATION, of 64 bits. */
const informationBytes = 144;
const flagsAt = 16;
/** To Windows. */
const anyJob = 0;

export function createJob(kernel: Kernel, flags: number): Handle {
  const job = kernel.CreateJobObjectW(0, 0);
  if (job === 0) throw windowsError(kernel.GetLastError());
  try {
    limitJob(kernel, job, flags);
    return job;
  } catch (error) {
    kernel.CloseHandle(job);
    throw error;
  }
}

export function limitJob(kernel: Kernel, job: Handle, flags: number): void {
  const information = bytes(informationBytes);
  information.writeUInt32LE(flags, flagsAt);
  if (!kernel.SetInformationJobObject(job, extendedLimits, information, informationBytes)) throw windowsError(kernel.GetLastError());
}

export function isInAnyJob(kernel: Kernel, process: Handle): boolean {
  const answer = bytes(4);
  return kernel.IsProcessInJob(process, anyJob, answer) !== 0 && answer.readInt32LE() !== 0;
}

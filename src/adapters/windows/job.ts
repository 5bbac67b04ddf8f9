import type { Handle, Kernel } from './kernel.js';
import { bytes } from './process-handle.js';
import { windowsError } from './windows-error.js';

/** What a job does with its processes: ends them with its last handle, lets those go that ask for it, or everybody's children unasked. */
export const jobLimits = { killOnClose: 0x2000, letsGo: 0x800, letsGoSilently: 0x1000 };

const extendedLimits = 9;
/** JOBOBJECT_EXTENDED_LIMIT_INFORMATION, of 64 bits. */
const informationBytes = 144;
const flagsAt = 16;
/** To Windows: the one that the caller is in. */
const ownJob = 0;

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

/** Whether what this process starts leaves its job without having asked. */
export function isLeftSilently(kernel: Kernel): boolean {
  return (ownLimits(kernel) & jobLimits.letsGoSilently) !== 0;
}

/** Whether this process is in a job that ends whatever is started from here with itself, and lets nobody go. Of jobs within jobs, the innermost shows. */
export function isInClosingJob(kernel: Kernel): boolean {
  const flags = ownLimits(kernel);
  return (flags & jobLimits.killOnClose) !== 0 && (flags & (jobLimits.letsGo | jobLimits.letsGoSilently)) === 0;
}

/** None where this process is in no job. */
function ownLimits(kernel: Kernel): number {
  const information = bytes(informationBytes);
  const isRead = kernel.QueryInformationJobObject(ownJob, extendedLimits, information, informationBytes, bytes(4));
  return isRead ? information.readUInt32LE(flagsAt) : 0;
}

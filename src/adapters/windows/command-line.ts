import { DaemonError } from '../../domain/daemon-error.js';

/** The most characters that CreateProcess takes, its closing zero included; cmd.exe takes fewer. */
export const longestCommandLine = 32_767;
export const longestBatchLine = 8_191;

/** One line that the program takes apart into these very arguments again, by the rules of CommandLineToArgvW and of the C runtime. */
export function commandLine(file: string, args: readonly string[]): string {
  // The program's own name follows a simpler rule, in which nothing is escaped; no path holds a quote.
  return [`"${file}"`, ...args.map(quoteArgument)].join(' ');
}

/** Backslashes count only before a quote, and are doubled there. */
export function quoteArgument(argument: string): string {
  if (argument !== '' && !/[\s"]/.test(argument)) return argument;
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, '$&$&')}"`;
}

/**
 * What cmd.exe is given to run a batch file: it reads the line twice, and neither quotes nor carets keep it from
 * replacing `%NAME%`. An expansion of nothing in between does: https://blog.rust-lang.org/2024/04/09/cve-2024-24576.html
 *
 * Throws `invalid-spec` for what can't be said to it at all.
 */
export function batchCommandLine(shell: string, file: string, args: readonly string[]): string {
  if ([file, ...args].some((part) => /[\r\n\0]/.test(part)))
    throw new DaemonError('invalid-spec', `${file} is a batch file, and no argument of one may have a line break`, { path: file });
  if (/["%]/.test(file))
    throw new DaemonError('invalid-spec', `${file} can't be run by cmd.exe: its path has a % or a quote`, { path: file });
  return `"${shell}" /e:ON /v:OFF /d /s /c "${[`"${file}"`, ...args.map(quoteForBatch)].join(' ')}"`;
}

export function isBatchFile(file: string): boolean {
  // Windows takes no notice of dots and spaces at the end of a name.
  return /\.(cmd|bat)[. ]*$/i.test(file);
}

function quoteForBatch(argument: string): string {
  const doubled = argument.replace(/(\\*)"/g, '$1$1""').replace(/\\+$/, '$&$&');
  return `"${doubled.replace(/%/g, '%%cd:~,%')}"`;
}

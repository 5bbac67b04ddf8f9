import { spawn } from 'node:child_process';

export interface ToolEnd {
  /** `null` where it could not be started, was ended by a signal, or took too long. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool of the service manager to its end. Handed in, so that a double can stand for a manager that isn't here. */
export type ServiceTool = (
  file: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly timeoutMs?: number },
) => Promise<ToolEnd>;

const usualTimeoutMs = 30_000;
const largestOutput = 1024 * 1024;

export const runServiceTool: ServiceTool = (file, args, { env, timeoutMs = usualTimeoutMs }) =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...env, LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        if (said[stream].length < largestOutput) said[stream] += text;
      });
    }
    // Not by the option of spawn: where there is no such tool, Node 20 waits for that time all the same.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const end = (status: number | null) => {
      clearTimeout(timer);
      resolve({ status, ...said });
    };
    child.once('error', () => end(null));
    child.once('close', end);
  });

/** The first line that a tool has to say of its failure. */
export function sayingOf({ status, stdout, stderr }: ToolEnd): string {
  const line = `${stderr}\n${stdout}`.split('\n').find((one) => one.trim() !== '');
  return line?.trim() ?? (status === null ? 'it could not be run, or took too long' : `exit code ${status}`);
}

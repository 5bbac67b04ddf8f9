import { spawnSync } from 'node:child_process';

export interface ToolResult {
  readonly stdout: string;
  /** `null` when the tool could not be started, was ended by a signal or took too long. */
  readonly status: number | null;
}

/** Runs one of the system's tools to its end. Handed in, so that written-down output can stand in for a Mac. */
export type RunTool = (file: string, args: readonly string[], env: Readonly<Record<string, string>>) => ToolResult;

/** The process table with every environment in it: a few MB where hundreds of large ones live. */
const largestOutputBytes = 64 * 1024 * 1024;
/** `ps` backs off for whole seconds while the kernel's table keeps growing under it. */
const timeoutMs = 10_000;

export const runTool: RunTool = (file, args, env) => {
  const { stdout, status } = spawnSync(file, args, {
    env,
    encoding: 'utf8',
    maxBuffer: largestOutputBytes,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return { stdout: stdout ?? '', status };
};

import { spawn } from 'node:child_process';
import { win32 } from 'node:path';
import { koffiPackage } from '../koffi.js';
import { requireHere } from '../require-here.js';

export interface BreakTarget {
  readonly pid: number;
  readonly startToken: string;
  /** Who leads the console's group: the first process that was started with it. */
  readonly group: number;
}

/** The helper takes as long as Node takes to start. */
const mostMs = 5_000;

/**
 * Sends CTRL_BREAK, the one event of a console that can be meant for a group: Node calls it SIGBREAK, .NET and Go have
 * handlers for it too, and it ends whoever has none. False where the console can't be shared or the event is refused, as
 * it is under Wine.
 *
 * It reaches the processes of the sender's own console only, and a process has at most one. So the sender is a program
 * of its own, which is born without a console and joins the daemon's. Only Node can be that program: another that
 * embeds us would be started anew by its own path.
 */
export async function sendConsoleBreak({ pid, startToken, group }: BreakTarget): Promise<boolean> {
  if (win32.basename(process.execPath).toLowerCase() !== 'node.exe') return false;
  const args = ['-e', helper, requireHere().resolve(koffiPackage('win32')), String(pid), startToken, String(group)];
  // `detached` means to Windows: without a console.
  const child = spawn(process.execPath, args, { detached: true, windowsHide: true, stdio: 'ignore', timeout: mostMs, env: plain() });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}

/** What the caller has Node load at each start has no business there. */
function plain(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: undefined };
}

/** The handle is held open until the event is sent, so that the pid stays who it was proven to be. */
const helper = `
const [koffi, pid, startToken, group] = process.argv.slice(1);
const kernel = require(koffi).load('kernel32.dll');
const call = (signature, ...given) => kernel.func(signature)(...given);
const queryLimited = 0x1000, ctrlBreak = 1;
const process_ = call('intptr __stdcall OpenProcess(uint32 access, int inherit, uint32 pid)', queryLimited, 0, Number(pid));
const times = [0, 0, 0, 0].map(() => Buffer.alloc(128));
const isProven = process_ !== 0
  && call('int __stdcall GetProcessTimes(intptr process, void *created, void *ended, void *kernel, void *user)', process_, ...times)
  && String(times[0].readBigUInt64LE()) === startToken;
const isSent = isProven
  && call('int __stdcall AttachConsole(uint32 pid)', Number(pid))
  && call('int __stdcall GenerateConsoleCtrlEvent(uint32 event, uint32 group)', ctrlBreak, Number(group));
process.exit(isSent ? 0 : 1);
`;

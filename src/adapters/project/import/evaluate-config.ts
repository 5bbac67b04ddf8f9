import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { DaemonError } from '../../../domain/daemon-error.js';

const timeoutMs = 10_000;
const pipeTimeoutMs = 1_000;
const mostBytes = 8 * 1024 * 1024;
const answerFd = 3;

/** Run by a Node of its own: the module's value as JSON on a descriptor that nothing else is written to. */
const program = `
import(process.argv[1]).then(
  (module) => answer({ value: module.default ?? module }),
  (error) => answer({ error: String(error?.message ?? error).split('\\n')[0] }),
);
function answer(what) {
  let text;
  try { text = JSON.stringify(what); } catch (error) { text = JSON.stringify({ error: error.message.split('\\n')[0] }); }
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) at += require('node:fs').writeSync(${answerFd}, bytes, at);
  process.exit(0);
}`;

/** What a configuration in JavaScript exports. Its own output is dropped. Throws `invalid-project`. */
export async function evaluateConfig(file: string): Promise<unknown> {
  const { text, why } = await run(file);
  if (why !== undefined) throw failure(file, why);
  const answer = parse(text);
  if (answer === undefined) throw failure(file, 'it ended before it had exported anything');
  if ('error' in answer) throw failure(file, String(answer.error));
  return answer.value;
}

function run(file: string): Promise<{ text: string; why?: string }> {
  return new Promise((resolve) => {
    // Before there is anything to end: a Ctrl-C from then on must not leave it behind.
    const interrupted = () => giveUp('interrupted');
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    // In a group of its own, so that what it starts ends with it.
    const child = spawn(process.execPath, ['--eval', program, pathToFileURL(file).href], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
      detached: true,
    });
    const pipe = child.stdio[answerFd] as Readable;
    const chunks: Buffer[] = [];
    let length = 0;
    let why: string | undefined;
    let hasEnded = false;
    const giveUp = (reason: string) => {
      why ??= reason;
      if (!hasEnded) killGroup(child.pid);
    };
    const timer = setTimeout(() => giveUp(`it did not end within ${timeoutMs} ms`), timeoutMs);
    pipe.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= mostBytes) chunks.push(chunk);
      else giveUp('what it exports is larger than 8 MB');
    });
    const settle = () => {
      clearTimeout(timer);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      pipe.destroy();
      resolve({ text: Buffer.concat(chunks).toString(), ...(why === undefined ? {} : { why }) });
    };
    child.once('error', (error) => {
      why ??= error.message;
      settle();
    });
    child.once('exit', () => {
      hasEnded = true;
      // What it wrote may still be on its way; what it has started may hold the pipe for ever.
      const late = setTimeout(settle, pipeTimeoutMs);
      if (pipe.readableEnded) settle();
      else pipe.once('end', settle).once('end', () => clearTimeout(late));
    });
  });
}

/** Our own child, not reaped yet, so that its number is still its own. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left of it.
  }
}

function parse(text: string): { value?: unknown; error?: unknown } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failure(file: string, why: string): DaemonError {
  return new DaemonError('invalid-project', `${file} can't be run: ${why}`, { path: file });
}

import type { Writable } from 'node:stream';
import { type Answer, startAnswer, statusAnswer, stopAnswer } from '../cli/answer.js';
import { describeFailure } from '../cli/failure.js';
import type { Invocation } from '../cli/invocation.js';
import { type Rendering, renderAnswer, renderFailure } from '../cli/rendering.js';
import { hostWording, type Wording } from '../cli/wording.js';
import type { Daemon } from '../embed/daemon.js';
import { mountedLogs } from './mounted-logs.js';
import { readMountedVerb } from './mounted-verbs.js';
import { VerbOutput } from './verb-output.js';

/** Where a verb speaks, and how its messages call the host program. All of it may be left out. */
export interface DaemonVerbIo {
  /** Default `process.stdout`. */
  readonly stdout?: Writable | undefined;
  /** Default `process.stderr`. */
  readonly stderr?: Writable | undefined;
  /** Cancels what is under way, and ends `logs --follow`, which Ctrl-C does too. */
  readonly signal?: AbortSignal | undefined;
  /** The host program, as its users call it. Default: the daemon's name. */
  readonly program?: string | undefined;
  /** How they call these verbs, for hints. Default: `<program> daemon`. */
  readonly command?: string | undefined;
}

/** Whom and how a verb serves. */
export interface MountedVerb {
  readonly daemon: Daemon;
  readonly invocation: Invocation;
  readonly wording: Wording;
  readonly output: VerbOutput;
  readonly signal: AbortSignal | undefined;
}

/**
 * A verb for a daemon of the host program's own, from its arguments to its exit code: `start [--force]`, `stop [--grace 10s]`,
 * `restart [--grace 10s]`, `status`, `logs [-f] [-n 10]`, each with `--json` and `--help`. Answers, JSON and exit codes are those
 * of the `daemonry` command line.
 *
 * It never rejects, and never exits the process: whatever goes wrong is one line on stderr, and the exit code. Needs no
 * framework, and loads none.
 *
 * @example
 * // acme daemon …, whatever the rest of acme is made with
 * if (process.argv[2] === 'daemon') process.exitCode = await runDaemonVerb(daemon, process.argv.slice(3), { program: 'acme' });
 *
 * @returns 0 done, or nothing to do; 1 failed; 2 wrong usage; 4 not permitted; 5 command not found; 124 timed out. `status`: 0
 * running, 1 stale, 3 stopped, 4 unknown.
 */
export async function runDaemonVerb(daemon: Daemon, argv: readonly string[], io: DaemonVerbIo = {}): Promise<number> {
  const { program = daemon.name, command = `${program} daemon` } = io;
  const wording = hostWording(program, command);
  // Also where the arguments can't be read: whoever asked for JSON reads nothing else.
  const options = { json: argv.includes('--json'), paint: (_: unknown, text: string) => text };
  const output = new VerbOutput(io.stdout ?? process.stdout, io.stderr ?? process.stderr);
  const show = async ({ out, err, exitCode }: Rendering) => {
    await output.out(out);
    await output.err(err);
    return exitCode;
  };
  try {
    const read = readMountedVerb(argv, command);
    if (typeof read === 'string') return await show({ out: `${read}\n`, err: '', exitCode: 0 });
    return await show(renderAnswer(await perform({ daemon, invocation: read, wording, output, signal: io.signal }), options));
  } catch (error) {
    const verb = argv.find((word) => word !== '--json');
    // Where nobody reads stdout, people are told.
    const json = options.json && !output.isUnheard;
    return await show(renderFailure(describeFailure(error, wording), program, verb, { ...options, json }));
  } finally {
    output.dispose();
  }
}

async function perform(verb: MountedVerb): Promise<Answer> {
  const { daemon, invocation, wording, signal } = verb;
  switch (invocation.verb) {
    case 'start':
      return startAnswer(await daemon.start({ signal, force: invocation.has('--force') }), 'started', wording);
    case 'stop':
      return stopAnswer(await daemon.stop({ signal, ...graceOf(invocation) }));
    case 'restart':
      return startAnswer(await daemon.restart({ signal, ...graceOf(invocation) }), 'restarted', wording);
    case 'status':
      return statusAnswer(await daemon.status(), wording);
    default:
      return mountedLogs(verb);
  }
}

function graceOf(invocation: Invocation): { readonly graceMs?: number } {
  const graceMs = invocation.durationMs('--grace');
  return graceMs === undefined ? {} : { graceMs };
}

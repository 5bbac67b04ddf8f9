import { execFileSync, type SpawnOptions } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test as base } from 'vitest';
import type { Daemon } from '../../src/app/embed/index.js';
import { type CliOptions, type ProgramEnd, RunningProgram } from './command-line.js';
import { loadLibrary } from './library.js';
import {
  describeProcess,
  isAlive,
  isSupervisor,
  killSeen,
  type MarkedProcess,
  markedProcesses,
  processFacts,
  untilDead,
  worldHere,
} from './processes.js';
import { commandLine, plainEnvironment } from './suite.js';
import { waitFor } from './wait-for.js';

// biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects to find.
export type AnyJson = any;

/** How long a process on no record may take to end by itself. */
const strayTimeoutMs = 20_000;

/** How `start` answers with `--json`. */
export interface Started {
  readonly name: string;
  readonly outcome: string;
  readonly pid: number;
  readonly instanceId: string;
  readonly socket: string;
  readonly log: string;
  readonly descriptor: string;
}

/**
 * A test that is given a home of its own. Afterwards every process of the home is gone; the test fails where one of them
 * was on no record, or where a program that the test started still runs.
 */
export const test = base.extend<{ home: TemporaryHome }>({
  home: async ({ task }, use) => {
    const home = new TemporaryHome();
    await use(home);
    if (task.result?.state === 'fail') home.tellLogs();
    await home.dispose(task.name);
  },
});

export class TemporaryHome {
  /** Everything of the test's own stands here. */
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 't-')));
  /** The home of the daemons, which is not made yet. */
  readonly path = join(this.folder, 'home');
  readonly #programs: RunningProgram[] = [];
  readonly #fifos: number[] = [];

  at(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  /** A file of the test's own, outside the home. */
  file(name: string, text?: string, mode = 0o644): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (text !== undefined) writeFileSync(path, text, { mode });
    return path;
  }

  get env(): Record<string, string> {
    return { ...plainEnvironment(this.folder), DAEMONRY_HOME: this.path };
  }

  /** Runs the command line to its end. */
  cli(args: readonly string[], options: CliOptions = {}): Promise<ProgramEnd> {
    return this.spawnCli(args, options).end();
  }

  spawnCli(args: readonly string[], options: CliOptions = {}): RunningProgram {
    // As the bin itself does it, less its shell.
    return this.spawn(process.execPath, ['--', commandLine, ...args], options);
  }

  /** Starts a program in the test's folder. */
  spawn(file: string, args: readonly string[], options: SpawnOptions & CliOptions = {}): RunningProgram {
    const { env, ...rest } = options;
    const program = new RunningProgram(file, args, { cwd: this.folder, ...rest, env: { ...this.env, ...env } });
    this.#programs.push(program);
    return program;
  }

  /** Starts a daemon that must start. */
  async start(name: string, command: readonly string[], ...options: readonly string[]): Promise<Started> {
    const end = await this.cli(['start', name, '--json', ...options, '--', ...command]);
    if (end.exitCode !== 0) throw new Error(`start ${name} failed with ${end.exitCode}: ${end.stdout}${end.stderr}`);
    return end.json;
  }

  /** A daemon that does nothing at all. */
  startSleeper(name: string, ...options: readonly string[]): Promise<Started> {
    return options.length === 0 ? (this.sleeper(name).start() as Promise<Started>) : this.start(name, ['sleep', '1000'], ...options);
  }

  /** The same daemon in the hands of this very program, where it is not the command line that is tested: in a fraction of the time. */
  sleeper(name: string): Daemon {
    return loadLibrary().defineDaemon({ name, command: 'sleep', args: ['1000'], cwd: this.folder, home: this.path });
  }

  /** Stops a daemon that must stop, whichever it is. */
  async stop(name: string): Promise<void> {
    await this.sleeper(name).stop();
  }

  /** The descriptor as it stands on disk; `undefined` where there is none. */
  descriptor(name: string): AnyJson {
    return JSON.parse(readIfThere(this.at(name, 'daemon.json')) ?? 'null') ?? undefined;
  }

  /** Writes a descriptor as if a daemon had been started: by default one of pid 1 of this very machine, whose token is wrong. */
  forge(name: string, fields: Readonly<Record<string, unknown>> = {}): AnyJson {
    const forged = {
      schema: 1,
      name,
      instanceId: '11111111-2222-4333-8444-555555555555',
      pid: 999_999,
      startToken: '1',
      ...worldHere(),
      uid: process.getuid?.() ?? 0,
      phase: 'ready',
      socket: null,
      version: null,
      startedAt: '2026-01-01T00:00:00.000Z',
      log: this.at(name, 'daemon.log'),
      command: ['sleep', '1000'],
      supervisedBy: null,
      ...fields,
    };
    this.writeRaw(name, JSON.stringify(forged));
    return forged;
  }

  /** Writes anything at all where a descriptor belongs. */
  writeRaw(name: string, content: string | Uint8Array): void {
    this.makeFolder(name);
    writeFileSync(this.at(name, 'daemon.json'), content, { mode: 0o600 });
  }

  makeFolder(name: string): string {
    mkdirSync(this.at(name), { recursive: true, mode: 0o700 });
    return this.at(name);
  }

  /** What is in the daemon's folder, sorted. */
  filesOf(name: string): readonly string[] {
    return existsSync(this.at(name)) ? readdirSync(this.at(name)).sort() : [];
  }

  log(name: string): string {
    return readIfThere(this.at(name, 'daemon.log')) ?? '';
  }

  /** What the daemons said last, for whoever has to find out why a test failed. */
  tellLogs(): void {
    for (const name of existsSync(this.path) ? readdirSync(this.path) : []) {
      const log = this.log(name).trimEnd();
      if (log !== '') console.error(`the log of ${name}:\n${log.slice(-2_000)}`);
    }
  }

  /** Waits until the daemon's log holds this. */
  async logSays(name: string, text: string): Promise<void> {
    await waitFor(`${JSON.stringify(text)} in the log of ${name}`, () => this.log(name).includes(text));
  }

  /**
   * The living processes of this home's daemons. What a supervisor has spawned for itself is not among them, though it carries its
   * marks: a copy of it for the moment until it executes what it is for, and who waits for a lock.
   */
  processes(): readonly MarkedProcess[] {
    const all = this.#allProcesses();
    const isChildOf = (parent: MarkedProcess, { pid, instanceId }: MarkedProcess) =>
      parent.instanceId === instanceId && processFacts(pid)?.parent === parent.pid;
    return all.filter((seen) => !isSupervisor(seen) || !all.some((other) => isChildOf(other, seen)));
  }

  #allProcesses(): readonly MarkedProcess[] {
    return markedProcesses(this.folder);
  }

  /** Something that a program waits for by reading a line from it, and that the test opens when it likes; or writes any other text to. */
  latch(name: string): { readonly path: string; open(): void; write(text: string): void } {
    const path = join(this.folder, name);
    execFileSync('mkfifo', [path]);
    // For reading too, so that neither side ever blocks in open.
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#fifos.push(fd);
    const write = (text: string) => void writeSync(fd, text);
    return { path, open: () => write('go\n'), write };
  }

  async dispose(title = 'the test'): Promise<void> {
    const programs = this.#programs.filter((program) => !program.ended);
    await Promise.all(programs.map((program) => program.discard()));
    const strays = await this.#endDaemons();
    for (const fd of this.#fifos) closeSync(fd);
    rmSync(this.folder, { recursive: true, force: true });
    const left = [...programs.map(({ pid }) => `its own program, pid ${pid}`), ...strays];
    if (left.length > 0) throw new Error(`${title} left behind: ${left.join('; ')}`);
  }

  /** Ends what is on record, all of it; returns what is on no record and does not end by itself. */
  async #endDaemons(): Promise<readonly string[]> {
    await this.#endSupervisor();
    const recorded = new Set<string>();
    for (const seen of this.#allProcesses()) {
      const instanceId = instanceIn(seen.descriptor);
      if (instanceId !== undefined) recorded.add(instanceId);
    }
    for (const name of existsSync(this.path) ? readdirSync(this.path) : []) killRecorded(this.at(name, 'daemon.json'));
    const deadline = performance.now() + strayTimeoutMs;
    // Again and again, for what was forked meanwhile; a gate whose starter is gone ends by itself.
    for (let living = this.#allProcesses(); living.length > 0; living = this.#allProcesses()) {
      const strays = living.filter((seen) => !recorded.has(seen.instanceId));
      for (const seen of living) if (recorded.has(seen.instanceId)) killSeen(seen);
      if (performance.now() > deadline) {
        for (const seen of strays) killSeen(seen);
        return strays.map(({ pid }) => `a process on no record, ${describeProcess(pid)}`);
      }
      await waitFor('the end of one of them', () => performance.now() > deadline || living.some(({ pid }) => !isAlive(pid)));
    }
    return [];
  }

  /** First of all: it would start again what is ended. One that has nothing to do any more may stay a while, and leaves by itself. */
  async #endSupervisor(): Promise<void> {
    const supervisors = this.#allProcesses().filter((seen) => isSupervisor(seen) && seen.instanceId === instanceIn(seen.descriptor));
    for (const seen of supervisors) killSeen(seen);
    await Promise.all(supervisors.map(({ pid }) => untilDead(pid)));
  }
}

/** In one step: what is there at one moment may be gone at the next. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // What stands in a home beside the folders of daemons is no folder.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function instanceIn(descriptor: string): string | undefined {
  try {
    return JSON.parse(readFileSync(descriptor, 'utf8')).instanceId;
  } catch {
    return undefined;
  }
}

/** For daemons that carry no marks in their environment. */
function killRecorded(descriptor: string): void {
  try {
    const { pid, startToken } = JSON.parse(readFileSync(descriptor, 'utf8'));
    const isThere =
      Number.isSafeInteger(pid) && pid > 1 && pid !== process.pid && isAlive(pid) && processFacts(pid)?.startToken === startToken;
    if (isThere && processFacts(pid)?.session === pid) killSeen({ pid, startToken });
  } catch {
    // No descriptor, or none that can be read.
  }
}

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { waitFor } from './wait-for.js';

export interface CliOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
}

/** How a program ended, and all that it said. */
export class ProgramEnd {
  /** 128 and the signal's number where it was killed, as a shell tells it. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;

  constructor(exitCode: number, stdout: string, stderr: string) {
    this.exitCode = exitCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** The one JSON object on stdout. Fails where there is anything else. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects to find.
  get json(): any {
    if (!/^\{.*\}\n$/.test(this.stdout)) throw new Error(`not one line with one JSON object: ${JSON.stringify(this)}`);
    return JSON.parse(this.stdout);
  }
}

/** A program under way whose output is collected. Its end is known when its output is closed, too: no daemon may hold it. */
export class RunningProgram {
  stdout = '';
  stderr = '';
  readonly child: ChildProcess;
  readonly pid: number;
  readonly #end: Promise<ProgramEnd>;
  readonly #leadsGroup: boolean;
  #ended = false;

  constructor(file: string, args: readonly string[], options: SpawnOptions) {
    this.child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.pid = this.child.pid ?? 0;
    this.#leadsGroup = options.detached === true && this.pid > 1;
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#end = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        this.#ended = true;
        resolve(new ProgramEnd(code ?? 128 + constants.signals[signal as NodeJS.Signals], this.stdout, this.stderr));
      });
    });
    this.#end.catch(() => {});
  }

  get ended(): boolean {
    return this.#ended;
  }

  end(): Promise<ProgramEnd> {
    return this.#end;
  }

  /** Waits until its stdout holds this. */
  async says(text: string): Promise<void> {
    await waitFor(
      () => `${JSON.stringify(text)} on stdout; it said ${JSON.stringify(this.stdout)} and ${JSON.stringify(this.stderr)}`,
      () => this.stdout.includes(text) || this.#ended,
    );
    if (!this.stdout.includes(text)) throw new Error(`it ended and never said ${JSON.stringify(text)}: ${this.stdout}${this.stderr}`);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Kills it, with its group where it leads one, and waits for nobody who still holds its output. */
  async discard(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.child.once('close', resolve));
    if (this.#leadsGroup) killGroup(this.pid);
    this.child.kill('SIGKILL');
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
    if (!this.#ended) await gone;
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

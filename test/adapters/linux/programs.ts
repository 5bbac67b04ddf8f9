import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Longer than any of these tests waits for anything. */
const deadlineMs = 30_000;

/** A temporary folder with the programs beside this file, bundled; and every process that was started from it. */
export class Programs {
  readonly folder = mkdtempSync(join(tmpdir(), 'daemonry-linux-'));
  private readonly started: Actor[] = [];

  async bundle(...names: readonly string[]): Promise<void> {
    await build({
      entryPoints: names.map((name) => fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url))),
      outdir: this.folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    });
  }

  path(name: string): string {
    return join(this.folder, `${name}.mjs`);
  }

  /** Behind `prefix`, which may be `unshare -n`. */
  start(name: string, args: readonly string[], prefix: readonly string[] = []): Actor {
    const [file, ...argv] = [...prefix, process.execPath, this.path(name), ...args] as [string, ...string[]];
    const actor = new Actor(file, argv);
    this.started.push(actor);
    return actor;
  }

  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async end(): Promise<void> {
    await Promise.all(this.started.splice(0).map((actor) => actor.kill()));
  }
}

/** A process that is talked to line by line. */
export class Actor {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  private heard = '';
  private readonly answers: string[] = [];
  private readonly listeners: ((line: string) => void)[] = [];

  constructor(file: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(file, args, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin?.on('error', () => {});
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    this.ended = new Promise((resolve) => {
      this.child.once('error', () => resolve());
      this.child.once('close', () => resolve());
    });
  }

  get pid(): number {
    return this.child.pid as number;
  }

  say(word: string): void {
    this.child.stdin?.write(`${word}\n`);
  }

  ask(word: string): Promise<string> {
    this.say(word);
    return this.answer();
  }

  /** The next line that it says and nobody has taken yet. */
  answer(): Promise<string> {
    const line = this.answers.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve, reject) => {
      const impatience = setTimeout(() => reject(new Error(`pid ${this.pid} says nothing`)), deadlineMs);
      this.listeners.push((said) => {
        clearTimeout(impatience);
        resolve(said);
      });
    });
  }

  hasAnswered(): boolean {
    return this.answers.length > 0;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  private hear(text: string): void {
    const lines = (this.heard + text).split('\n');
    this.heard = lines.pop() ?? '';
    for (const line of lines) {
      const listener = this.listeners.shift();
      if (listener) listener(line);
      else this.answers.push(line);
    }
  }
}

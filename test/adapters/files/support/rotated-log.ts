import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { FileLogStore } from '../../../../src/adapters/files/file-log-store.js';
import { statePath } from '../../../../src/adapters/files/log-state.js';
import type { HeldLock, LogTarget, RotateOutcome } from '../../../../src/domain/ports.js';
import { type AbilityKind, limitedTo } from './limited-shortener.js';

const here = dirname(fileURLToPath(import.meta.url));
const held: HeldLock = { ref: { name: 'x' }, release: () => {} };
const everything = Number.MAX_SAFE_INTEGER;

/** A log in a folder of its own, with whoever writes and rotates it. */
export class RotatedLog {
  readonly folder = mkdtempSync(join(tmpdir(), 'dy-rotated-'));
  readonly path = join(this.folder, 'daemon.log');

  constructor(public ability: AbilityKind = 'collapse') {}

  store(): FileLogStore {
    return new FileLogStore({ place: () => ({ log: this.path }) } as never, limitedTo(this.ability));
  }

  rotate(limits: Partial<LogTarget>, store = this.store()): Promise<RotateOutcome> {
    return store.rotate(held, { ref: held.ref, file: null, maxBytes: 1, keep: 1_000, ...limits });
  }

  prepare(limits: Partial<LogTarget> = {}, store = this.store()): Promise<{ path: string; offset: number }> {
    return store.prepare(held, { ref: held.ref, file: null, maxBytes: everything, keep: 1_000, ...limits });
  }

  lines(): readonly string[] {
    return this.store().tail(this.path, everything);
  }

  /** Every byte that is kept, as `cat` shows it, less a hole. */
  bytes(): Buffer {
    const files: string[] = [];
    while (existsSync(`${this.path}.${files.length + 1}`)) files.unshift(`${this.path}.${files.length + 1}`);
    const live = readFileSync(this.path);
    return Buffer.concat([...files.map((file) => readFileSync(file)), live.subarray(this.state()?.begin ?? 0)]);
  }

  /** How much was ever written to it, by its own count. */
  offset(): number {
    const { base = 0 } = this.state() ?? {};
    return base + statSync(this.path).size;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test says itself what it expects to find.
  state(): any {
    return existsSync(statePath(this.path)) ? JSON.parse(readFileSync(statePath(this.path), 'utf8')) : undefined;
  }

  /** A daemon that writes numbered lines at full speed until it is told to end; then how many it wrote. */
  startWriter(options: { first?: number; longLines?: number } = {}) {
    const out = openSync(this.path, 'a', 0o600);
    const count = join(this.folder, 'count');
    const args = [join(here, 'line-writer.mjs'), String(options.first ?? 0), String(options.longLines ?? 9_000), count];
    const child = spawn(process.execPath, args, { stdio: ['pipe', out, 'inherit'] });
    closeSync(out);
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return {
      kill: async () => {
        child.kill('SIGKILL');
        await ended;
      },
      end: async (): Promise<number> => {
        child.stdin?.end();
        await ended;
        return Number(readFileSync(count, 'utf8'));
      },
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What the writer writes as its line of this number. */
export function lineOf(number: number, longLines = 9_000): string {
  return `${number} ${'x'.repeat(number % 97 === 0 ? longLines : number % 61)} ${number}`;
}

/** What is wrong with lines that should be these numbers, in order; empty where nothing is. */
export function faultsOf(lines: readonly string[], from: number, to: number, longLines?: number): readonly string[] {
  const faults: string[] = [];
  if (lines.length !== to - from) faults.push(`${lines.length} lines, not ${to - from}`);
  for (const [index, line] of lines.entries()) {
    if (line !== lineOf(from + index, longLines)) faults.push(`line ${index} is ${JSON.stringify(line.slice(0, 40))}, not ${from + index}`);
    if (faults.length > 3) break;
  }
  return faults;
}

/** The same of all that ends in a line break, from 0, however much: a busy machine lets a writer write more than fits into one string. */
export function faultsInBytes(bytes: Buffer): readonly string[] {
  const faults: string[] = [];
  let begin = 0;
  for (let number = 0, end = bytes.indexOf('\n'); end >= 0 && faults.length < 3; number++, end = bytes.indexOf('\n', begin)) {
    const line = bytes.toString('utf8', begin, end);
    if (line !== lineOf(number)) faults.push(`line ${number} is ${JSON.stringify(line.slice(0, 40))}`);
    begin = end + 1;
  }
  return faults;
}

/** The program that rotates, bundled; it dies or fails at a call where it is told so. */
export class Rotator {
  private readonly folder = mkdtempSync(join(tmpdir(), 'dy-rotator-'));

  async bundle(): Promise<void> {
    await build({
      entryPoints: [join(here, '..', 'programs', 'rotate-program.ts')],
      outfile: this.program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    });
  }

  get program(): string {
    return join(this.folder, 'rotate-program.mjs');
  }

  /** One rotation, to its end. */
  run(log: RotatedLog, maxBytes: number): void {
    const args = [this.program, log.path, String(maxBytes), '1000', log.ability];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
    if (stdout !== 'rotated\n') throw new Error(`the rotation ended otherwise: ${stdout}${stderr}`);
  }

  /** One rotation. `at`: before which call it is killed, and `errno`: with what that call fails instead. `undefined` where it came to its end. */
  runUntil(log: RotatedLog, maxBytes: number, keep: number, at: number, errno?: string): string | undefined {
    const env = { ...process.env, DIES_AT: errno === undefined ? String(at) : `${at}:${errno}` };
    const args = ['--require', join(here, 'dies-at-call.cjs'), this.program, log.path, String(maxBytes), String(keep), log.ability];
    const { stderr, status, signal } = spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 60_000 });
    if (errno === undefined) return signal === 'SIGKILL' ? stderr.trim() : undefined;
    return stderr === '' && status === 0 ? undefined : (stderr.split('\n', 1)[0] as string);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function writeNumbered(path: string, from: number, to: number, longLines?: number): void {
  const lines = Array.from({ length: to - from }, (_, index) => `${lineOf(from + index, longLines)}\n`);
  writeFileSync(path, lines.join(''), { flag: 'a', mode: 0o600 });
}

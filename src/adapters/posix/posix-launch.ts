import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import { DaemonError } from '../../domain/daemon-error.js';
import type { Observation, ProcessIdentity, Vantage } from '../../domain/identity.js';
import type { Launch, ProcessEnd } from '../../domain/ports.js';
import { giveWay } from '../give-way.js';

/** Where the word arrives that lets the command run. */
export const gateFd = 3;
/** Most commands are executed within two milliseconds, and no timer is shorter. */
const executedMs = 1;
/** A gate that was told to leave needs a moment; a stopped machine may need longer. */
const abortTimeoutMs = 2_000;

/** A child of ours. Once it is let go of, hardly more is kept of it than how it ends: a supervisor has hundreds. */
export class PosixLaunch implements Launch {
  private child: ChildProcess | undefined;
  private gate: Gate | undefined;

  private constructor(
    child: ChildProcess,
    readonly identity: ProcessIdentity,
    private readonly fate: Fate,
    gate: Gate | undefined,
    readonly waitedMs: number | undefined,
  ) {
    this.child = child;
    this.gate = gate;
  }

  /** Of what `spawn` has just returned. Fails as that did. */
  static async of(
    child: ChildProcess,
    inspector: Inspector,
    behind:
      | { readonly input: unknown; readonly word: string; readonly waitedMs?: number; readonly hasTime?: boolean | undefined }
      | undefined,
  ): Promise<PosixLaunch> {
    const fate = new Fate(child);
    // Without a descriptor to spare there are no streams at all.
    const gate = behind?.input ? { input: behind.input as GateInput, word: behind.word, hasTime: behind.hasTime } : undefined;
    // One that is gone already answers with EPIPE, one that never was with ENOTCONN: its end tells more than these errors.
    gate?.input.on('error', () => {});
    if (child.pid === undefined) return new Promise((_, reject) => child.once('error', reject));
    child.on('error', () => {});
    gate?.input.unref();
    child.unref();
    const seen = inspector.observe(child.pid);
    if (seen.kind !== 'process') throw new DaemonError('unsupported', `can't read who pid ${child.pid} is`, { pid: child.pid });
    const { bootId, pidNamespace, timeNamespace, host } = inspector.vantage();
    const identity = { pid: child.pid, startToken: seen.startToken, bootId, pidNamespace, timeNamespace, host };
    return new PosixLaunch(child, identity, fate, gate, behind?.waitedMs);
  }

  end(): ProcessEnd | undefined {
    return this.fate.end;
  }

  ended(signal: AbortSignal): Promise<ProcessEnd | undefined> {
    return this.fate.met(signal);
  }

  /** Until the command may have been executed: a look before that would be one in vain. */
  async open(): Promise<void> {
    const { gate } = this;
    if (!gate) return;
    gate.input.end(gate.word);
    if (gate.hasTime) giveWay();
    else await new Promise((resolve) => setTimeout(resolve, executedMs));
  }

  async abort(): Promise<void> {
    const { child } = this;
    if (!child) return;
    // Nothing else may be left that keeps us alive, and the caller waits for the end.
    child.ref();
    if (this.gate) this.gate.input.destroy();
    else child.kill('SIGKILL');
    // Ours and not reaped, so this pid is still this process.
    const impatience = setTimeout(() => child.kill('SIGKILL'), abortTimeoutMs);
    await this.fate.met();
    clearTimeout(impatience);
  }

  release(): void {
    this.gate?.input.destroy();
    this.gate = undefined;
    // Node would keep the gate's socket for as long as the child lives.
    if (this.child?.stdio) {
      (this.child.stdio as unknown as unknown[]).length = 0;
      // Bun lets nobody set that, and has nothing there.
      Reflect.set(this.child, 'stdin', null);
    }
    this.child = undefined;
  }
}

interface Inspector {
  vantage(): Vantage;
  observe(pid: number): Observation;
}

type GateInput = Writable & { unref(): void };

interface Gate {
  readonly input: GateInput;
  /** What lets the command run. */
  readonly word: string;
  readonly hasTime: boolean | undefined;
}

/** How a child ends, and who waits for that. */
class Fate {
  end: ProcessEnd | undefined;
  private waiting: (() => void)[] = [];

  constructor(child: ChildProcess) {
    child.once('exit', (exitCode, signal) => {
      this.end = { exitCode, signal };
      for (const tell of this.waiting.splice(0)) tell();
    });
  }

  /** `undefined` when `signal` aborts first. */
  met(signal?: AbortSignal): Promise<ProcessEnd | undefined> {
    return new Promise((resolve) => {
      if (this.end || signal?.aborted) {
        resolve(this.end);
        return;
      }
      const tell = () => {
        signal?.removeEventListener('abort', tell);
        this.waiting = this.waiting.filter((one) => one !== tell);
        resolve(this.end);
      };
      this.waiting.push(tell);
      signal?.addEventListener('abort', tell);
    });
  }
}

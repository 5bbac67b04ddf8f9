import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { closeQuietly } from '../files/safe-files.js';
import { monotonicMs } from '../monotonic-ms.js';
import { coverStrays } from './cover-strays.js';
import { spareArguments } from './gate-script.js';

/** After so long without a launch there is time to have the next one wait. */
const calmMs = 20;

export interface WaitingGate {
  readonly child: ChildProcess;
  readonly input: Writable & { unref(): void };
  /** By `monotonicMs`. */
  readonly bornMs: number;
}

/**
 * A shell in a session of its own that waits to be told what it is to become. Most of the time from a crash to the next run goes
 * into the spawn of a process, which copies its parent: this one is spawned before anybody needs it. Where its parent dies, it
 * reads end-of-file, and leaves.
 */
export class SpareGate {
  private waiting: WaitingGate | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** `strays`: descriptors of ours that it would inherit unasked. */
  constructor(
    private readonly sh: string,
    private readonly strays: () => readonly number[],
  ) {}

  get isThere(): boolean {
    return this.waiting !== undefined;
  }

  /** The one that waits, if one does; nobody else gets it then. */
  take(): WaitingGate | undefined {
    const { waiting } = this;
    this.waiting = undefined;
    return waiting;
  }

  /** Has one wait again as soon as it is calm. */
  prepare(): void {
    if (this.timer) this.timer.refresh();
    else this.timer = setTimeout(() => this.start(), calmMs).unref();
  }

  private start(): void {
    if (this.waiting) return;
    let cover: number | undefined;
    try {
      const bornMs = monotonicMs();
      cover = openSync('/dev/null', 'r+');
      const stdio = coverStrays(['pipe', 'ignore', 'ignore'], this.strays(), cover);
      const child = spawn(this.sh, spareArguments, { cwd: '/', env: {}, stdio, detached: true });
      // Without it, the next launch has a gate of its own.
      child.on('error', () => {});
      const input = child.stdin as (Writable & { unref(): void }) | null;
      if (child.pid === undefined || !input) return;
      input.on('error', () => {});
      child.once('exit', () => {
        if (this.waiting?.child === child) this.waiting = undefined;
      });
      child.unref();
      input.unref();
      this.waiting = { child, input, bornMs };
    } catch {
      // As above.
    } finally {
      if (cover !== undefined) closeQuietly(cover);
    }
  }
}
